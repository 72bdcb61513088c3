/** A string, or one of the three numbers that Python's json module writes by names which JSON does not have. */
const stringOrName = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/gs
const notANumber = '\0NaN\0'

/**
 * JSON with NaN, Infinity and -Infinity, as Python's json module reads and writes it unless told otherwise
 * (https://docs.python.org/3/library/json.html, "Infinite and NaN number values"). What refuses them is the schema of
 * whoever needs a number. Throws SyntaxError.
 */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // A number beyond the largest double is read as infinity.
    const plain = text.replace(stringOrName, (found) =>
      found.startsWith('"') ? found : found === 'NaN' ? JSON.stringify(notANumber) : found.replace('Infinity', '1e999'),
    )
    if (plain === text) throw error
    return JSON.parse(plain, (_, value: unknown) => (value === notANumber ? NaN : value))
  }
}
