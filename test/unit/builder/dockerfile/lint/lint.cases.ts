// Dockerfile → what the checks say, as "line Rule: detail". The base image "known" has ENV PATH and BASE; of others nothing
// is known. Files below ignored/ are left out of the context.

import type { RuleName } from '../../../../../src/builder/dockerfile/lint/rules.ts';

export type Row = readonly [
  rule: RuleName,
  dockerfile: string,
  found: readonly string[],
  buildArgs?: Record<string, string>,
];

const EXPERIMENTAL = '# check=experimental=all\n\n';

/** Each rule by itself: rows name the one they are about; the others must be silent. */
export const ROWS: readonly Row[] = [
  ['StageNameCasing', 'FROM a AS BadName', ["1: Stage name 'BadName' should be lowercase"]],
  ['StageNameCasing', 'FROM a AS good-name', []],
  ['FromAsCasing', 'FROM a as b', ["1: 'as' and 'FROM' keywords' casing do not match"]],
  ['FromAsCasing', 'from a AS b', ["1: 'AS' and 'from' keywords' casing do not match"]],
  ['FromAsCasing', 'from a as b', []],
  ['FromAsCasing', 'FROM a aS b', ["1: 'aS' and 'FROM' keywords' casing do not match"]],
  ['NoEmptyContinuation', 'FROM a\nRUN b \\\n\n\n  c', ['3: Empty continuation line']],
  ['NoEmptyContinuation', 'FROM a\nRUN b \\\n# comment\n  c', []],
  [
    'ConsistentInstructionCasing',
    'FROM a\nRUN b\ncopy c d\nEnv A=b',
    [
      "3: Command 'copy' should match the case of the command majority (uppercase)",
      "4: Command 'Env' should match the case of the command majority (uppercase)",
    ],
  ],
  [
    'ConsistentInstructionCasing',
    'from a\nrun b\nCOPY c d',
    ["3: Command 'COPY' should match the case of the command majority (lowercase)"],
  ],
  [
    'ConsistentInstructionCasing',
    'from a\nRUN b',
    ["1: Command 'from' should match the case of the command majority (uppercase)"],
  ],
  ['ConsistentInstructionCasing', 'from a\nrun b', []],
  [
    'DuplicateStageName',
    'FROM a AS x\nFROM b AS x',
    ['2: Duplicate stage name "x", stage names should be unique'],
  ],
  ['DuplicateStageName', 'FROM a AS x\nFROM b AS y\nFROM c', []],
  [
    'ReservedStageName',
    'FROM a AS scratch\nFROM b AS context',
    [
      '1: Stage name should not use the same name as reserved stage "scratch"',
      '2: Stage name should not use the same name as reserved stage "context"',
    ],
  ],
  [
    'JSONArgsRecommended',
    'FROM a\nCMD b\nENTRYPOINT c',
    [
      '2: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
      '3: JSON arguments recommended for ENTRYPOINT to prevent unintended behavior related to OS signals',
    ],
  ],
  ['JSONArgsRecommended', 'FROM a\nCMD ["b"]\nRUN c\nHEALTHCHECK CMD d', []],
  ['JSONArgsRecommended', 'FROM a AS x\nSHELL ["sh", "-c"]\nCMD b\nFROM x\nCMD c', []],
  [
    'MaintainerDeprecated',
    'FROM a\nMAINTAINER me',
    ['2: Maintainer instruction is deprecated in favor of using label'],
  ],
  ['UndefinedArgInFrom', 'FROM a:${V:-1}', ["1: FROM argument 'V' is not declared"]],
  [
    'UndefinedArgInFrom',
    'ARG VERSION=1\nFROM a:${VERSIO:-x}',
    ["2: FROM argument 'VERSIO' is not declared (did you mean VERSION?)"],
  ],
  ['UndefinedArgInFrom', 'ARG V\nFROM a:1${V}', []],
  ['UndefinedArgInFrom', 'FROM --platform=$BUILDPLATFORM a:$TARGETARCH', []],
  [
    'WorkdirRelativePath',
    'FROM a\nWORKDIR app/\nWORKDIR more',
    ['2: Relative workdir "app/" can have unexpected results if the base image changes'],
  ],
  ['WorkdirRelativePath', 'FROM a AS x\nWORKDIR /app\nFROM x\nWORKDIR sub', []],
  ['UndefinedVar', 'FROM known\nCOPY $foo .\nARG foo=1\nRUN $bar', ["2: Usage of undefined variable '$foo'"]],
  [
    'UndefinedVar',
    'FROM known\nARG DIR_ASSETS=assets\nCOPY $DIR_ASSET .',
    ["3: Usage of undefined variable '$DIR_ASSET' (did you mean $DIR_ASSETS?)"],
  ],
  [
    'UndefinedVar',
    'FROM scratch\nENV PATH=$PAHT:/x',
    ["2: Usage of undefined variable '$PAHT' (did you mean $PATH?)"],
  ],
  ['UndefinedVar', 'FROM known\nARG foo\nCOPY a$foo$BASE .', []],
  ['UndefinedVar', 'FROM unknown\nCOPY $foo .', []],
  ['UndefinedVar', 'FROM known AS x\nARG foo=1\nFROM x\nCOPY $foo .', []],
  ['UndefinedVar', 'FROM unknown AS x\nFROM x\nCOPY $foo .', []],
  ['UndefinedVar', "FROM known\nENV A='$foo' B=\\$foo", []],
  [
    'MultipleInstructionsDisallowed',
    'FROM a\nCMD ["a"]\nENTRYPOINT ["a"]\nHEALTHCHECK NONE\nCMD ["b"]\nENTRYPOINT ["b"]\nHEALTHCHECK NONE',
    ['CMD', 'ENTRYPOINT', 'HEALTHCHECK'].map(
      (name, i) =>
        `${i + 2}: Multiple ${name} instructions should not be used in the same stage because only the last one will be used`,
    ),
  ],
  ['MultipleInstructionsDisallowed', 'FROM a AS x\nCMD ["a"]\nFROM x\nCMD ["b"]', []],
  [
    'LegacyKeyValueFormat',
    'FROM a\nENV k v\nLABEL k v',
    [
      '2: "ENV key=value" should be used instead of legacy "ENV key value" format',
      '3: "LABEL key=value" should be used instead of legacy "LABEL key value" format',
    ],
  ],
  [
    'InvalidBaseImagePlatform',
    'FROM foreign',
    [
      '1: Base image foreign was pulled with platform "linux/s390x", expected "linux/amd64" for current build',
    ],
  ],
  ['InvalidBaseImagePlatform', 'FROM known', []],
  [
    'RedundantTargetPlatform',
    'FROM --platform=${TARGETPLATFORM} a',
    [
      '1: Setting platform to predefined ${TARGETPLATFORM} in FROM is redundant as this is the default behavior',
    ],
  ],
  ['RedundantTargetPlatform', 'FROM --platform=$BUILDPLATFORM a', []],
  [
    'SecretsUsedInArgOrEnv',
    'FROM a\nARG SECRET_PASSPHRASE\nENV SUPER_Secret=x password=y PUBLIC_KEY=z keyboard=w\nARG AUTH=1 github_token TOKEN_FILE',
    [
      '2: Do not use ARG or ENV instructions for sensitive data (ARG "SECRET_PASSPHRASE")',
      '3: Do not use ARG or ENV instructions for sensitive data (ENV "SUPER_Secret")',
      '3: Do not use ARG or ENV instructions for sensitive data (ENV "password")',
      '4: Do not use ARG or ENV instructions for sensitive data (ARG "AUTH")',
      '4: Do not use ARG or ENV instructions for sensitive data (ARG "github_token")',
    ],
  ],
  [
    'InvalidDefaultArgInFrom',
    'ARG V\nFROM busybox:$V',
    ['2: Default value for ARG busybox:$V results in empty or invalid base image name'],
    { V: '1' },
  ],
  [
    'InvalidDefaultArgInFrom',
    'ARG I\nFROM $I',
    ['2: Default value for ARG $I results in empty or invalid base image name'],
    { I: 'a' },
  ],
  ['InvalidDefaultArgInFrom', 'ARG V=1\nFROM busybox:$V', [], { V: '2' }],
  ['InvalidDefaultArgInFrom', 'ARG X\nFROM busybox:stable${X}', [], { X: '-musl' }],
  [
    'FromPlatformFlagConstDisallowed',
    'FROM --platform=linux/arm64 a',
    ['1: FROM --platform flag should not use constant value "linux/arm64"'],
  ],
  ['FromPlatformFlagConstDisallowed', 'FROM --platform=linux/arm64 a AS build-arm64', []],
  [
    'CopyIgnoredFile',
    `${EXPERIMENTAL}FROM a AS x\nCOPY ignored/a ok /\nADD ./ignored/ /\nADD https://h/ignored/a /\nFROM b\nCOPY --from=x ignored/a /`,
    [
      '4: Attempting to Copy file "ignored/a" that is excluded by .dockerignore',
      '5: Attempting to Add file "ignored" that is excluded by .dockerignore',
    ],
  ],
  ['CopyIgnoredFile', 'FROM a\nCOPY ignored/a /', []],
  [
    'InvalidDefinitionDescription',
    `${EXPERIMENTAL}# bar is wrong\nARG foo=bar\n# base is right\nFROM a AS base\n# wrong\nARG a b\n# b is right\nARG a b\n# wrong\n\nARG c\n# wrong\n#\nARG d\n# wrong\nCOPY e f`,
    [
      '4: Comment for ARG should follow the format: `# foo <description>`',
      '8: Comment for ARG should follow the format: `# <arg_key> <description>`',
    ],
  ],
  ['InvalidDefinitionDescription', '# check=experimental=all\nFROM a AS b', []],
  ['InvalidDefinitionDescription', '# wrong\nFROM a AS b', []],
  [
    'ExposeProtoCasing',
    'FROM a\nEXPOSE 80/TcP 81/udp',
    ["2: Defined protocol '80/TcP' in EXPOSE instruction should be lowercase"],
  ],
  [
    'ExposeInvalidFormat',
    'FROM a\nENV P=80\nEXPOSE 127.0.0.1:80:80 $P:81 82',
    [
      "3: EXPOSE instruction should not define an IP address or host-port mapping, found '80:81'",
      "3: EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:80:80'",
    ],
  ],
];

/** What `check=` makes of one file that breaks two rules: the rules that are told. */
export const SKIPS: readonly (readonly [directive: string, rules: readonly string[]])[] = [
  ['# nothing', ['FromAsCasing', 'ConsistentInstructionCasing']],
  ['# check=skip=all', []],
  ['#check=skip=FromAsCasing', ['ConsistentInstructionCasing']],
  ['# check=skip=FromAsCasing, ConsistentInstructionCasing;error=true', []],
  ['# check=skip=Unknown', ['FromAsCasing', 'ConsistentInstructionCasing']],
];
