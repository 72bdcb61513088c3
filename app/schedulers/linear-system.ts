/** Solves matrix x = right for a small dense matrix, by Gaussian elimination with partial pivoting. */
export function solveLinear(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const size = right.length
  const rows = matrix.map((row, i) => [...row, right[i] ?? NaN])
  const at = (row: number, column: number) => rows[row]?.[column] ?? NaN
  for (let column = 0; column < size; column++) {
    let pivot = column
    for (let row = column + 1; row < size; row++)
      if (Math.abs(at(row, column)) > Math.abs(at(pivot, column))) pivot = row
    const pivotRow = rows[pivot] ?? []
    rows[pivot] = rows[column] ?? []
    rows[column] = pivotRow
    for (let row = column + 1; row < size; row++) {
      const factor = at(row, column) / at(column, column)
      rows[row] = (rows[row] ?? []).map((value, k) => value - factor * (pivotRow[k] ?? NaN))
    }
  }
  const solution = new Array<number>(size).fill(0)
  for (let row = size - 1; row >= 0; row--) {
    let rest = at(row, size)
    for (let column = row + 1; column < size; column++) rest -= at(row, column) * (solution[column] ?? NaN)
    solution[row] = rest / at(row, row)
  }
  return solution
}
