// Dead code of src/: exports that the product would be the same without, since neither their own file nor another one of
// src/ uses them; a test alone keeps nothing alive. Values only: types of a signature belong to it.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const list = (folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(ROOT, folder, file));
const sources = list('src');
/** file → names that others import from it; '*' when somebody takes the whole namespace. */
const bySource = new Map(sources.map((file) => [file, new Set()]));
const byTest = new Map(sources.map((file) => [file, new Set()]));
/** file → name → { line, own: used in its own file } */
const exported = new Map();

for (const file of sources) scan(file, bySource);
for (const folder of ['scripts', 'test', 'bench']) {
  for (const file of existsSync(join(ROOT, folder)) ? list(folder) : []) {
    scan(file, folder === 'scripts' ? bySource : byTest);
  }
}

/** Made for tests on purpose. */
const FOR_TESTS = new Set(['silentLog']);

const dead = [];
for (const [file, names] of exported) {
  if (bySource.get(file).has('*')) continue;
  for (const [name, { line, own }] of names) {
    if (bySource.get(file).has(name)) continue;
    if (own || FOR_TESTS.has(name)) continue;
    const tested = byTest.get(file).has(name) || byTest.get(file).has('*');
    dead.push(`${relative(ROOT, file)}:${line} ${name}${tested ? ' (only tests use it)' : ''}`);
  }
}
if (dead.length > 0) {
  console.error(`dead exports:\n${dead.map((line) => `  ${line}`).join('\n')}`);
  process.exitCode = 1;
}

function scan(file, used) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023, true);
  const names = new Map();
  const words = new Map();
  const visit = (node) => {
    if (ts.isIdentifier(node)) words.set(node.text, (words.get(node.text) ?? 0) + 1);
    if (ts.isImportDeclaration(node) || (ts.isExportDeclaration(node) && node.moduleSpecifier))
      noteImport(used, file, node);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument !== undefined && ts.isStringLiteralLike(argument))
        use(used, file, argument.text, dynamicNames(node));
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      use(used, file, node.argument.literal.text, ['*']);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (used !== bySource || !bySource.has(file)) return;
  for (const statement of source.statements) {
    if (!statement.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)) continue;
    if (statement.modifiers.some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword)) continue;
    const line = source.getLineAndCharacterOfPosition(statement.getStart()).line + 1;
    const declared = ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.map((declaration) => declaration.name.getText(source))
      : statement.name
        ? [statement.name.text]
        : [];
    if (!ts.isInterfaceDeclaration(statement) && !ts.isTypeAliasDeclaration(statement)) {
      for (const name of declared) names.set(name, { line, own: (words.get(name) ?? 0) > 1 });
    }
  }
  exported.set(file, names);
}

function noteImport(used, file, node) {
  const specifier = node.moduleSpecifier.text;
  const clause = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause;
  if (clause === undefined) use(used, file, specifier, ts.isExportDeclaration(node) ? ['*'] : []);
  else if (ts.isNamespaceImport(clause) || ts.isNamespaceExport(clause)) use(used, file, specifier, ['*']);
  else
    use(
      used,
      file,
      specifier,
      clause.elements.map((element) => (element.propertyName ?? element.name).text),
    );
}

/** `const { a, b } = await import('x')` uses a and b; anything else may use all. */
function dynamicNames(call) {
  const awaited = ts.isAwaitExpression(call.parent) ? call.parent : call;
  const declaration = awaited.parent;
  if (ts.isVariableDeclaration(declaration) && ts.isObjectBindingPattern(declaration.name)) {
    return declaration.name.elements.map((element) => (element.propertyName ?? element.name).getText());
  }
  if (ts.isPropertyAccessExpression(declaration?.parent ?? declaration))
    return [declaration.parent.name.text];
  return ['*'];
}

function use(used, file, specifier, names) {
  if (!specifier.startsWith('.')) return;
  const users = used.get(resolve(dirname(file), specifier));
  for (const name of names) users?.add(name);
}
