/** Rows as columns of equal width; the columns of `right` are aligned at their right side. */
export function table(
  rows: readonly (readonly string[])[],
  { indent = 0, right = [] }: { indent?: number; right?: readonly number[] } = {},
): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  return rows.map((row) => ' '.repeat(indent) + line(row)).join('\n')
}
