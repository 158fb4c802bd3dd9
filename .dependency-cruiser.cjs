// The one-way flow of ARCHITECTURE.md: a folder imports its own files and lower rows; sideways only where said.

const ROWS = [
  ['core', 'oci'],
  ['native', 'store', 'registry'],
  ['image', 'runtime', 'network', 'volume', 'cgroup'],
  ['container', 'builder', 'system'],
  ['cli', 'commands'],
];

/** Sideways imports that are allowed. `types`: as types alone. */
const SIDEWAYS = [
  ['store', 'native'],
  ['runtime', 'cgroup'], // a container's limits are part of its configuration
  ['commands', 'cli'],
];

const folder = (names) => `^src/(${names.join('|')})/`;
const rules = [];

for (const [row, names] of ROWS.entries()) {
  const higher = ROWS.slice(row + 1).flat();
  if (higher.length > 0) {
    rules.push({
      name: `row-${row}-looks-down`,
      comment: `${names.join(', ')}: row ${row} must not import a higher row. Pass what it needs as a parameter, or move the shared part down.`,
      severity: 'error',
      from: { path: folder(names) },
      to: { path: folder(higher) },
    });
  }
  for (const name of names) {
    const allowed = SIDEWAYS.filter(([from]) => from === name).map(([, to]) => to);
    const others = names.filter((other) => other !== name && !allowed.includes(other));
    // core and oci may use each other's types and constants: both are leaves.
    if (row === 0 || others.length === 0) continue;
    rules.push({
      name: `${name}-not-sideways`,
      comment: `${name} must not import ${others.join(', ')}: same row. The row above joins them.`,
      severity: 'error',
      from: { path: folder([name]) },
      to: { path: folder(others) },
    });
  }
}

module.exports = {
  forbidden: [
    ...rules,
    {
      name: 'commands-call-use-cases',
      comment:
        'A command calls a use case (container, builder, system, image, …), never registry, store or native: the logic belongs below.',
      severity: 'error',
      from: { path: '^src/commands/', pathNot: '^src/commands/internal/' },
      to: { path: folder(['registry', 'store', 'native']) },
    },
    {
      name: 'commands-are-alone',
      comment: 'A command imports no other command; shared flags live in a file without a default export.',
      severity: 'error',
      from: { path: '^src/commands/', pathNot: '^src/commands/index[.]ts$' },
      to: { path: '^src/commands/', pathNot: '(-flags|/shared|/flags)[.]ts$' },
    },
    {
      name: 'cli-knows-core',
      comment: 'The frame knows no use case: it may import core, and lower rows as types alone.',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: '^src/(?!cli/|core/)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'core-needs-node-alone',
      comment: 'core has no container knowledge; of packages, it may use ini for the configuration file.',
      severity: 'error',
      from: { path: '^src/(core|oci)/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-no-pkg'], pathNot: 'node_modules/(@types/)?ini/' },
    },
    {
      name: 'nobody-imports-main',
      comment: 'main.ts wires everything; nothing may need it.',
      severity: 'error',
      from: {},
      to: { path: '^src/main[.]ts$' },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or lack a third.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-dev-packages-in-the-product',
      comment: 'Packages that src/ imports must be in "dependencies".',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'no-orphans',
      comment: 'Nothing imports this file: it is dead, or its user forgot it.',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '[.]d[.]ts$' },
      to: {},
    },
    {
      name: 'product-not-tests',
      comment: 'src/ must not import tests or scripts.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|scripts|bench)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
