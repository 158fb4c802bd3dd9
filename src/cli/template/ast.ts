// The tree of a parsed Go template: the part of text/template that --format needs.

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'print'; pipe: Pipe }
  | { kind: 'if'; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { kind: 'with'; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { kind: 'range'; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { kind: 'break' }
  | { kind: 'continue' };

/** `$i, $x := first | second`: declared names, then commands whose result is the next one's last argument. */
export interface Pipe {
  variables: string[];
  /** `:=` makes new variables, `=` sets existing ones. */
  declares: boolean;
  commands: Operand[][];
}

export type Operand =
  | { kind: 'literal'; value: string | number | boolean | null }
  /** `.A.B`; [] is the dot itself */
  | { kind: 'field'; path: string[] }
  /** `$x.A` */
  | { kind: 'variable'; name: string; path: string[] }
  | { kind: 'function'; name: string }
  /** `(pipe).A` */
  | { kind: 'pipe'; pipe: Pipe; path: string[] };
