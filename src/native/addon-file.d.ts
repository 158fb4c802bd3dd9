// What `import path from './x.node' with { type: 'file' }` gives in the compiled binary.
declare module '*.node' {
  const path: string;
  export default path;
}
