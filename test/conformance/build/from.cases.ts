// FROM, stages, --target, platforms and the arguments that reach them.

import type { Row } from './row.ts';

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export const FROM_ROWS: Row[] = [
  {
    name: 'scratch has a PATH and a working directory, and no files',
    dockerfile: 'LABEL a=b',
    config: { Env: [PATH], WorkingDir: '/', Labels: { a: 'b' } },
    files: '',
  },
  {
    name: 'a file made in one stage, copied to another',
    dockerfile: 'FROM scratch AS a\nCOPY x /x\nFROM scratch\nCOPY --from=a /x /y',
    context: { x: 'x' },
    files: 'f 644 0:0 /y = x',
  },
  {
    name: 'a stage on a stage takes files and configuration over',
    dockerfile: 'FROM scratch AS a\nENV A=1\nCOPY x /x\nFROM a\nENV B=$A',
    context: { x: 'x' },
    config: { Env: [PATH, 'A=1', 'B=1'] },
    files: 'f 644 0:0 /x = x',
  },
  {
    name: 'names of stages do not mind case',
    dockerfile: 'FROM scratch AS Build\nCOPY x /x\nFROM BUILD\nCOPY --from=bUILD /x /y',
    context: { x: 'x' },
    files: 'f 644 0:0 /x = x\nf 644 0:0 /y = x',
    podman: { differs: 'it compares names as they are written' },
  },
  {
    name: 'a stage by its number',
    dockerfile: 'FROM scratch\nCOPY x /x\nFROM scratch\nCOPY --from=0 /x /y',
    context: { x: 'x' },
    files: 'f 644 0:0 /y = x',
  },
  {
    name: 'a stage that nobody needs is not built',
    dockerfile: 'FROM busybox AS broken\nRUN exit 1\nFROM scratch\nCOPY x /',
    context: { x: 'x' },
    files: 'f 644 0:0 /x = x',
  },
  {
    name: '--target stops at a stage',
    dockerfile: 'FROM scratch AS a\nLABEL s=a\nFROM scratch AS b\nLABEL s=b\nFROM nosuch.invalid/image',
    flags: ['--target', 'a'],
    config: { Labels: { s: 'a' } },
  },
  {
    name: '--target does not mind case',
    dockerfile: 'FROM scratch AS First\nLABEL s=a\nFROM scratch\nLABEL s=b',
    flags: ['--target', 'fIRST'],
    config: { Labels: { s: 'a' } },
    podman: { differs: 'it compares names as they are written' },
  },
  {
    name: '--target by number',
    dockerfile: 'FROM scratch\nLABEL s=a\nFROM scratch\nLABEL s=b',
    flags: ['--target', '0'],
    config: { Labels: { s: 'a' } },
  },
  {
    name: '--target that is not there',
    dockerfile: 'FROM scratch AS a',
    flags: ['--target', 'nosuch'],
    fails: /target stage "nosuch" could not be found/,
  },
  {
    name: 'a global ARG in FROM',
    dockerfile: 'ARG BASE=busybox\nFROM $BASE\nCOPY x /x',
    context: { x: 'x' },
    files: 'f 644 0:0 /x = x',
  },
  {
    name: 'a global ARG in the name of a stage',
    dockerfile: 'ARG S=scratch\nFROM ${S} AS one\nLABEL a=b\nFROM one',
    config: { Labels: { a: 'b' } },
  },
  {
    name: 'a global ARG with a default of another',
    dockerfile: 'ARG A=scr\nARG B=${A}atch\nFROM $B\nLABEL a=b',
    config: { Labels: { a: 'b' } },
  },
  {
    name: 'FROM with a default in the expansion',
    dockerfile: 'ARG NONE\nFROM ${NONE:-scratch}\nLABEL a=b',
    config: { Labels: { a: 'b' } },
  },
  {
    name: '--build-arg beats the default of the header',
    dockerfile: 'ARG BASE=nosuch.invalid/x\nFROM $BASE\nLABEL a=b',
    flags: ['--build-arg', 'BASE=scratch'],
    config: { Labels: { a: 'b' } },
  },
  {
    name: 'a global ARG does not reach into a stage',
    dockerfile: 'ARG A=1\nFROM scratch\nLABEL a=x${A}y',
    config: { Labels: { a: 'xy' } },
  },
  {
    name: 'a global ARG that a stage asks for',
    dockerfile: 'ARG A=1\nFROM scratch\nARG A\nLABEL a=$A',
    config: { Labels: { a: '1' } },
  },
  {
    name: 'a stage has a default of its own',
    dockerfile: 'ARG A=1\nFROM scratch\nARG A=2\nLABEL a=$A',
    config: { Labels: { a: '2' } },
  },
  {
    name: 'an ARG of a stage is handed on to stages on it',
    dockerfile: 'FROM scratch AS a\nARG V=1\nFROM a\nLABEL v=x$V',
    config: { Labels: { v: 'x1' } },
    podman: { differs: 'it begins each stage without ARGs' },
  },
  {
    name: 'FROM that expands to nothing',
    dockerfile: 'ARG NONE\nFROM $NONE',
    fails: /Dockerfile:2[^]*base name \(\$NONE\) should not be blank/,
  },
  {
    name: '--platform of this machine by argument',
    dockerfile: 'FROM --platform=$BUILDPLATFORM busybox\nARG TARGETOS\nLABEL os=$TARGETOS',
    config: { Labels: { os: 'linux' } },
  },
  {
    name: 'platform arguments need an ARG',
    dockerfile: 'LABEL os=x$TARGETOS',
    config: { Labels: { os: 'x' } },
  },
  {
    name: 'TARGETSTAGE is the name of the target',
    dockerfile: 'FROM scratch AS one\nARG TARGETSTAGE\nLABEL s=$TARGETSTAGE',
    flags: ['--target', 'one'],
    config: { Labels: { s: 'one' } },
    podman: { lacks: 'TARGETSTAGE' },
  },
  {
    name: 'an unknown platform',
    dockerfile: 'FROM --platform=no/such/thing/here busybox',
    fails: /Dockerfile:1[^]*no\/such\/thing\/here/,
  },
  {
    name: 'FROM with a flag it does not know',
    dockerfile: 'FROM --nosuch=1 scratch',
    fails: /unknown flag: --?nosuch/,
  },
  {
    name: 'FROM with too many words',
    dockerfile: 'FROM scratch AS a b',
    fails: /FROM requires either one or three arguments/,
  },
  { name: 'FROM without an image', dockerfile: 'FROM', fails: /FROM requires either one or three arguments/ },
  { name: 'FROM with something else than AS', dockerfile: 'FROM scratch IS a', fails: /Dockerfile:1/ },
  {
    name: 'a stage cannot be called like that',
    dockerfile: 'FROM scratch AS 1a',
    fails: /invalid name for build stage: "1a"/,
    podman: { differs: 'it takes any name' },
  },
  {
    name: 'nothing but comments',
    dockerfile: '',
    context: { Dockerfile: '# FROM scratch\n#FROM scratch' },
    fails: /file with no instructions|no build stage/i,
  },
  {
    name: 'something before FROM',
    dockerfile: 'RUN true\nFROM scratch',
    fails: /Dockerfile:1[^]*no build stage in current context/,
    podman: { differs: 'it passes over it' },
  },
  {
    name: 'a base that is not there',
    dockerfile: 'FROM nosuch.invalid/image:1',
    flags: ['--pull=never'],
    fails: /nosuch\.invalid\/image/,
  },
  {
    name: 'COPY --from a stage that comes later',
    dockerfile: 'FROM scratch AS a\nCOPY --from=b /x /x\nFROM scratch AS b',
    flags: ['--target', 'a', '--pull=never'],
    fails: /\bb\b/,
  },
  {
    name: 'COPY --from its own stage',
    dockerfile: 'FROM scratch AS a\nCOPY --from=a /x /x',
    flags: ['--pull=never'],
    fails: /Dockerfile:2|\ba\b/,
  },
  {
    name: 'COPY --from an image',
    dockerfile: 'COPY --from=busybox /etc/group /g',
    files: 'f 644 0:0 /g = 83 bytes 12f25b7b510b920b',
  },
  {
    name: '--build-context with a directory',
    dockerfile: 'COPY --from=more x /x',
    context: { 'more/x': 'more' },
    flags: ['--build-context', 'more={dir}/ctx/more'],
    files: 'f 644 0:0 /x = more',
    podman: { differs: 'files keep their owner on the host' },
  },
  {
    name: '--build-context with an image in place of a base',
    dockerfile: 'FROM nosuch.invalid/x\nLABEL a=b',
    flags: ['--build-context', 'nosuch.invalid/x=docker-image://busybox'],
    config: { Labels: { a: 'b' } },
  },
  {
    name: '--build-context in place of a stage',
    dockerfile: 'FROM scratch AS a\nCOPY one /x\nFROM scratch\nCOPY --from=a /x /x',
    context: { one: '1', 'more/x': '2' },
    flags: ['--build-context', 'a={dir}/ctx/more'],
    files: 'f 644 0:0 /x = 2',
    podman: { differs: 'files keep their owner on the host' },
  },
  {
    name: 'a directory is no base',
    dockerfile: 'FROM more',
    flags: ['--build-context', 'more={dir}/ctx'],
    fails: /Dockerfile:1[^]*more/,
  },
  {
    name: 'files keep their owner from stage to stage, and a stage’s WORKDIR does not matter',
    dockerfile: 'FROM scratch AS a\nWORKDIR /w\nCOPY --chown=5:6 x x\nFROM scratch\nCOPY --from=a w/x .',
    context: { x: 'x' },
    files: 'f 644 5:6 /x = x',
  },
  {
    name: '--label and --annotation',
    dockerfile: 'LABEL a=1 b=2',
    flags: ['--label', 'a=3', '--annotation', 'n=v'],
    config: { Labels: { a: '3', b: '2' } },
  },
];
