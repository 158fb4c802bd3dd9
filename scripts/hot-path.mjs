// What a command loads before its first line runs: the modules it reaches by static imports. Builtins that take long to
// load (measured in the compiled binary, ms) must not be among them for the commands whose start-up counts; reach them
// by `await import()`, or by process.getBuiltinModule() where the code is synchronous.
//
//   node scripts/hot-path.mjs [command file]      prints the closure; without argument checks HOT and fails

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const HOT = [
  'src/main.ts',
  'src/commands/run.ts',
  'src/commands/exec.ts',
  'src/commands/ps.ts',
  'src/commands/version.ts',
];
const SLOW = {
  child_process: 1.1,
  crypto: 0.5,
  dns: 0.6,
  http: 5.9,
  https: 7.2,
  net: 3,
  readline: 1.2,
  stream: 1.2,
  tls: 3.9,
  tty: 1.6,
  util: 0.6,
  zlib: 3.5,
};

/** @returns {{ files: Set<string>, outside: Map<string, string[]> }} outside: package or builtin → chain of files to it */
export function closure(entry) {
  const files = new Set();
  const outside = new Map();
  const queue = [[entry, [entry]]];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [file, chain] = next;
    if (files.has(file)) continue;
    files.add(file);
    for (const specifier of staticImports(join(ROOT, file))) {
      if (!specifier.startsWith('.')) {
        if (!outside.has(specifier)) outside.set(specifier, chain);
        continue;
      }
      const target = relative(ROOT, resolve(ROOT, dirname(file), specifier));
      if (target.endsWith('.ts')) queue.push([target, [...chain, target]]);
    }
  }
  return { files, outside };
}

function staticImports(path) {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2023, false);
  return source.statements.filter(isValueImport).map((statement) => statement.moduleSpecifier.text);
}

function isValueImport(statement) {
  if (ts.isExportDeclaration(statement))
    return statement.moduleSpecifier !== undefined && !statement.isTypeOnly;
  if (!ts.isImportDeclaration(statement)) return false;
  const { importClause: clause } = statement;
  if (clause === undefined) return true;
  if (clause.isTypeOnly || clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return false;
  const names = clause.namedBindings;
  if (clause.name !== undefined || names === undefined || ts.isNamespaceImport(names)) return true;
  return names.elements.some((element) => !element.isTypeOnly);
}

function report(entry) {
  const { files, outside } = closure(entry);
  for (const file of files) console.log(file);
  for (const [name, chain] of outside) console.log(`${name}  (${chain.at(-1)})`);
}

function check() {
  let bad = 0;
  for (const entry of HOT.filter((file) => existsSync(join(ROOT, file)))) {
    for (const [name, chain] of closure(entry).outside) {
      const ms = SLOW[name.replace(/^node:/, '')];
      const isPackage = !name.startsWith('node:');
      if (ms === undefined && !isPackage) continue;
      bad++;
      const cost = isPackage ? 'a package' : `${ms} ms`;
      console.error(`hot-path: ${entry} loads ${name} (${cost}) at start: ${chain.join(' → ')}`);
    }
  }
  if (bad > 0) {
    console.error(
      'hot-path: reach it by await import() or process.getBuiltinModule() when it is really needed',
    );
    process.exitCode = 1;
  }
}

if (process.argv[2] === undefined) check();
else report(process.argv[2]);
