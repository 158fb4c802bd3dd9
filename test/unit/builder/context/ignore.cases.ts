/** What docker does with each. */
export const IGNORE_CASES = [
  { name: 'a name, and all below it', file: ['a'], ignored: ['a', 'a/b', 'a/b/c'], kept: ['b/a', 'ab'] },
  { name: 'a star stays in its part', file: ['*.log'], ignored: ['x.log'], kept: ['d/x.log', 'xlog'] },
  {
    name: 'two stars do not',
    file: ['**/*.log'],
    ignored: ['x.log', 'd/x.log', 'd/e/x.log'],
    kept: ['xlog'],
  },
  {
    name: 'two stars in between',
    file: ['a/**/z'],
    ignored: ['a/z', 'a/b/z', 'a/b/c/z'],
    kept: ['z', 'a/b'],
  },
  { name: 'all below a directory', file: ['a/**'], ignored: ['a/b', 'a/b/c'], kept: ['b'] },
  {
    name: 'back in below an excluded directory',
    file: ['a', '!a/b'],
    ignored: ['a', 'a/c'],
    kept: ['a/b', 'a/b/c'],
  },
  {
    name: 'the last word counts',
    file: ['*.md', '!README.md', 'README.md'],
    ignored: ['README.md'],
    kept: [],
  },
  { name: 'back in after everything', file: ['*', '!src'], ignored: ['a', 'b/c'], kept: ['src', 'src/x'] },
  { name: 'slashes around', file: ['/a/', './b', 'c//d'], ignored: ['a', 'b', 'c/d'], kept: ['c'] },
  { name: 'blanks around', file: ['  a b \t', '! a b'], ignored: [], kept: ['a b'] },
  { name: 'comments only at the start', file: ['#a', ' #b', 'c#'], ignored: ['#b', 'c#'], kept: ['#a', 'a'] },
  { name: 'a question mark', file: ['a?c'], ignored: ['abc'], kept: ['ac', 'a/c'] },
  { name: 'classes', file: ['[a-c]x', '[^a-c]y'], ignored: ['ax', 'dy'], kept: ['dx', 'ay'] },
  { name: 'an escaped star', file: ['a\\*'], ignored: ['a*'], kept: ['ab'] },
  {
    name: 'what means something to regular expressions',
    file: ['a+b', '(c)', 'd{1}', 'e|f', '^g', '$h', 'i.j'],
    ignored: ['a+b', '(c)', 'd{1}', 'e|f', '^g', '$h', 'i.j'],
    kept: ['aab', 'c', 'd', 'e', 'f', 'g', 'ixj'],
  },
  {
    name: 'names every JavaScript object has',
    file: ['constructor', '__proto__'],
    ignored: ['constructor', '__proto__'],
    kept: ['toString'],
  },
  { name: 'upper and lower case', file: ['README'], ignored: ['README'], kept: ['readme'] },
  { name: 'a byte order mark', file: ['\uFEFFa'], ignored: ['a'], kept: [] },
  { name: 'line ends of Windows', file: ['a\r', 'b\r'], ignored: ['a', 'b'], kept: [] },
  { name: 'climbing', file: ['a/../b', '../c'], ignored: ['b'], kept: ['a', 'c'] },
  { name: 'no patterns', file: ['', '# nothing'], ignored: [], kept: ['a', '.dockerignore', 'Dockerfile'] },
];

export const MALFORMED = [
  { line: '!', message: 'reading .dockerignore:2: pattern "!": it excludes nothing' },
  { line: ' ! ', message: 'pattern "!"' },
  { line: '[a', message: 'pattern "[a": syntax error in pattern' },
];
