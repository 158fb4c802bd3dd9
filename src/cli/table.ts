// Columns as docker prints them (Go's text/tabwriter with minimal width 10 and padding 3): cells are separated by tabs,
// the last cell of a line is not padded. Pure.

const MIN_WIDTH = 10;
const PADDING = 3;

/** lines: cells separated by tabs. minWidth: of a column; `top` has another than the lists. */
export function alignColumns(lines: readonly string[], minWidth = MIN_WIDTH): string[] {
  const widthOf = lines.some((line) => SURROGATE.test(line)) ? runes : units;
  const rows = lines.map((line) => line.split('\t'));
  const widths: number[] = [];
  for (const row of rows) {
    for (let i = 0; i < row.length - 1; i++)
      widths[i] = Math.max(widths[i] ?? minWidth, widthOf(row[i] as string) + PADDING);
  }
  return rows.map((row) => {
    let line = '';
    for (let i = 0; i < row.length - 1; i++) {
      const cell = row[i] as string;
      line += cell + ' '.repeat((widths[i] as number) - widthOf(cell));
    }
    return line + (row.at(-1) as string);
  });
}

const SURROGATE = /[\ud800-\udfff]/;

function units(cell: string): number {
  return cell.length;
}

/** As Go counts them. */
function runes(cell: string): number {
  return [...cell].length;
}
