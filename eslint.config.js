// typescript-eslint, strict and type-aware, and the bans of this project. A ban says why and what to do instead.

import tseslint from 'typescript-eslint';

const ban = {
  exit: {
    selector:
      "CallExpression[callee.object.name='process'][callee.property.name=/^(exit|reallyExit|abort)$/]",
    message:
      'Only src/main.ts ends the process: return an exit status or throw an EngineError, so that clean-up runs.',
  },
  exitCode: {
    selector: "MemberExpression[object.name='process'][property.name='exitCode']",
    message: 'Only src/main.ts decides the exit status: return it from run().',
  },
  stdio: {
    selector: "MemberExpression[object.name='process'][property.name=/^(stdout|stderr)$/]",
    message: 'process.stdout buffers, and loses output at exit: use cx.io (results) or cx.log (messages).',
  },
  bun: {
    selector: "Identifier[name='Bun']",
    message: "Only Node's APIs in src/: the same sources run under vitest. Bun belongs to scripts/.",
  },
  enum: {
    selector: 'TSEnumDeclaration',
    message: 'No enum: a union of strings is erased, so that Node and Bun run the sources as they are.',
  },
};
const syntax = (...bans) => ['error', ...bans];
const childProcess = {
  paths: ['child_process', 'node:child_process'].map((name) => ({
    name,
    message:
      'Processes are started by src/native/, src/network/, the credential helpers of src/registry/ and the reader of the journal alone: a start by way of a shell or with inherited descriptors is how engines leak.',
  })),
};

export default tseslint.config(
  { ignores: ['build/', 'dist/', 'node_modules/', 'src/commands/index.ts', '**/*.cjs'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Numbers, booleans and unions of strings are fine in messages.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // process.env['X'] must use brackets (noPropertyAccessFromIndexSignature is off, the habit stays).
      '@typescript-eslint/dot-notation': 'off',
      // A command's run() is a Promise by contract, also where it waits for nothing.
      '@typescript-eslint/require-await': 'off',
      // noUncheckedIndexedAccess makes both forms of "I know it is there" common.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/prefer-string-starts-ends-with': [
        'error',
        { allowSingleElementEquality: 'always' },
      ],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-empty-function': 'off',
      // Spread for code points is what is meant: Go, whose output we follow, counts them too.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      'max-lines': ['error', { max: 320, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-eval': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-syntax': syntax(ban.exit, ban.exitCode, ban.stdio, ban.bun, ban.enum),
      'no-restricted-imports': ['error', childProcess],
    },
  },
  {
    files: ['src/cli/**/*.ts'],
    rules: { 'no-restricted-syntax': syntax(ban.exit, ban.exitCode, ban.bun, ban.enum) },
  },
  { files: ['src/main.ts'], rules: { 'no-restricted-syntax': syntax(ban.bun, ban.enum) } },
  {
    files: [
      'src/native/**/*.ts',
      'src/network/**/*.ts',
      'src/registry/**/*.ts',
      'src/container/logs/journal.ts',
    ],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts', '*.ts'],
    rules: {
      'no-console': 'off',
      'max-lines': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['scripts/**/*.mjs', '*.js', 'bench/**/*.mjs'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', Buffer: 'readonly', URL: 'readonly' },
    },
    rules: { eqeqeq: 'error', 'no-undef': 'error', 'no-unused-vars': 'error' },
  },
);
