import type { CopyRequest } from '../../../../src/builder/context/types.ts';

interface SelectCase {
  name: string;
  files: string[];
  ignore?: string[];
  request: Partial<CopyRequest>;
  expected: string[];
}

export const SELECT_CASES: SelectCase[] = [
  { name: 'a file', files: ['a'], request: { sources: ['a'] }, expected: ['a(file): '] },
  {
    name: 'several',
    files: ['a', 'b'],
    request: { sources: ['b', 'a'] },
    expected: ['b(file): ', 'a(file): '],
  },
  {
    name: 'the content of a directory',
    files: ['d/x', 'd/e/y'],
    request: { sources: ['d'] },
    expected: ['d(dir): e e/y x'],
  },
  { name: 'a slash at the end', files: ['d/x'], request: { sources: ['d/'] }, expected: ['d(dir): x'] },
  { name: 'everything', files: ['d/x', 'a'], request: { sources: ['.'] }, expected: ['(dir): a d d/x'] },
  { name: 'the root as a slash', files: ['a'], request: { sources: ['/'] }, expected: ['(dir): a'] },
  { name: 'an absolute path', files: ['d/x'], request: { sources: ['/d/x'] }, expected: ['x(file): '] },
  {
    name: 'a path that climbs',
    files: ['d/x'],
    request: { sources: ['../../d/../d/x'] },
    expected: ['x(file): '],
  },
  {
    name: 'a wildcard',
    files: ['a.c', 'b.c', 'c.h'],
    request: { sources: ['*.c'] },
    expected: ['a.c(file): ', 'b.c(file): '],
  },
  {
    name: 'a wildcard that matches a directory',
    files: ['da/x', 'db/y'],
    request: { sources: ['d*'] },
    expected: ['da(dir): x', 'db(dir): y'],
  },
  {
    name: 'a wildcard on the way',
    files: ['a/x/f', 'b/x/f', 'b/f'],
    request: { sources: ['*/x/f'] },
    expected: ['f(file): ', 'f(file): '],
  },
  {
    name: 'two stars are one',
    files: ['a/f', 'a/b/f'],
    request: { sources: ['**/f'] },
    expected: ['f(file): '],
  },
  { name: 'nothing matches', files: ['a'], request: { sources: ['*.c'] }, expected: [] },
  {
    name: 'one of two patterns matches',
    files: ['a'],
    request: { sources: ['*.c', 'a*'] },
    expected: ['a(file): '],
  },
  {
    name: 'an escaped bracket',
    files: ['[abc]', 'a'],
    request: { sources: ['[[]abc]'] },
    expected: ['[abc](file): '],
  },
  {
    name: 'a name with an escaped star',
    files: ['a*', 'ab'],
    request: { sources: ['a\\*'] },
    expected: ['a*(file): '],
  },
  {
    name: 'a name with a backslash',
    files: ['a\\b'],
    request: { sources: ['a\\b'] },
    expected: ['a\\b(file): '],
  },
  {
    name: 'a link to a file is followed and keeps its name',
    files: ['a', 'l -> a'],
    request: { sources: ['l'] },
    expected: ['l(file): '],
  },
  {
    name: 'a link to a directory',
    files: ['d/x', 'l -> /d'],
    request: { sources: ['l'] },
    expected: ['l(dir): x'],
  },
  {
    name: 'a link on the way',
    files: ['d/x', 'l -> d'],
    request: { sources: ['l/x', 'l/*'] },
    expected: ['x(file): ', 'x(file): '],
  },
  {
    name: 'a link that climbs out stays in',
    files: ['etc/x', 'd/l -> ../../../etc'],
    request: { sources: ['d/l'] },
    expected: ['l(dir): x'],
  },
  {
    name: 'links below are copied',
    files: ['d/l -> nowhere'],
    request: { sources: ['d'] },
    expected: ['d(dir): l'],
  },
  {
    name: 'ignored files',
    files: ['a', 'b.log', 'd/c.log', 'd/x'],
    ignore: ['**/*.log'],
    request: { sources: ['.'] },
    expected: ['(dir): a d d/x'],
  },
  {
    name: 'ignored directories',
    files: ['n/a', 'x'],
    ignore: ['n'],
    request: { sources: ['.'] },
    expected: ['(dir): x'],
  },
  {
    name: 'back in below an ignored directory',
    files: ['n/a', 'n/b/c', 'x'],
    ignore: ['n', '!n/b'],
    request: { sources: ['.'] },
    expected: ['(dir): n n/b n/b/c x'],
  },
  {
    name: 'nothing comes back in',
    files: ['n/a', 'x'],
    ignore: ['n', '!n/b'],
    request: { sources: ['.'] },
    expected: ['(dir): x'],
  },
  {
    name: 'the ignore file itself is part of it',
    files: ['.dockerignore', 'a'],
    ignore: ['a'],
    request: { sources: ['.'] },
    expected: ['(dir): .dockerignore'],
  },
  {
    name: '--exclude below a directory',
    files: ['d/a.txt', 'd/b.md', 'd/e/c.txt'],
    request: { sources: ['d'], exclude: ['*.txt'] },
    expected: ['d(dir): b.md e e/c.txt'],
  },
  {
    name: '--exclude at any depth, and back',
    files: ['d/a.txt', 'd/e/c.txt', 'd/e/k.txt'],
    request: { sources: ['d'], exclude: ['**/*.txt', '!e/k.txt'] },
    expected: ['d(dir): e e/k.txt'],
  },
  {
    name: '--exclude of a directory with one file back',
    files: ['d/e/a', 'd/e/b', 'd/f'],
    request: { sources: ['d'], exclude: ['e', '!e/b'] },
    expected: ['d(dir): e e/b f'],
  },
  {
    name: '--exclude of a directory with nothing back',
    files: ['d/e/a', 'd/f'],
    request: { sources: ['d'], exclude: ['e', '!e/b'] },
    expected: ['d(dir): f'],
  },
  {
    name: '--exclude among what a wildcard matches',
    files: ['home.txt', 'home.md'],
    request: { sources: ['hom*'], exclude: ['*.txt'] },
    expected: ['home.md(file): '],
  },
  {
    name: '--parents',
    files: ['x/a', 'y/a'],
    request: { sources: ['./x/a', './y/a'], parents: true },
    expected: ['(tree): x x/a', '(tree): y y/a'],
  },
  {
    name: '--parents with a pivot',
    files: ['x/y/a', 'x/y/b'],
    request: { sources: ['x/./y/*'], parents: true },
    expected: ['(tree): y y/a y/b'],
  },
  {
    name: '--parents of a directory',
    files: ['x/y/a'],
    request: { sources: ['x/y'], parents: true },
    expected: ['(tree): x x/y x/y/a'],
  },
  {
    name: '--parents at any depth',
    files: ['p/package.json', 'p/q/package.json', 'p/q/x'],
    request: { sources: ['**/package.json'], parents: true },
    expected: ['(tree): p p/package.json p/q p/q/package.json'],
  },
  {
    name: '--parents that matches nothing',
    files: ['a'],
    request: { sources: ['**/z'], parents: true },
    expected: [],
  },
  {
    name: '--parents keeps a link',
    files: ['d/l -> a', 'd/a'],
    request: { sources: ['d/l'], parents: true },
    expected: ['(tree): d d/l'],
  },
];
