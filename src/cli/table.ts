// Columns as docker prints them (Go's text/tabwriter with minimal width 10 and padding 3): cells are separated by tabs,
// the last cell of a line is not padded. Pure.

const MIN_WIDTH = 10;
const PADDING = 3;

/** lines: cells separated by tabs. minWidth: of a column; `top` has another than the lists. */
export function alignColumns(lines: readonly string[], minWidth = MIN_WIDTH): string[] {
  const rows = lines.map((line) => line.split('\t'));
  const widths: number[] = [];
  for (const row of rows) {
    row.slice(0, -1).forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? minWidth, [...cell].length + PADDING);
    });
  }
  return rows.map((row) =>
    row
      .map((cell, i) =>
        i === row.length - 1 ? cell : cell + ' '.repeat((widths[i] ?? 0) - [...cell].length),
      )
      .join(''),
  );
}
