import { ProblemError } from '#app/contract/errors.ts'
import { reasonOf, withFile } from './file.ts'
import { identify } from './identify.ts'
import { parsePythonJson } from './python-json.ts'

const largest = 100_000_000

/**
 * Any JSON value of a file as Python writes it, to be parsed by a schema. Throws `bad-model` naming the file, and what
 * it is, when it is no JSON.
 */
export function readJson(path: string): Promise<unknown> {
  return withFile(path, async (file) => {
    const refuse = (reason: string, cause?: unknown): never => {
      throw new ProblemError('bad-model', `${path} cannot be read: ${reason}.`, { file: path, cause })
    }
    if (file.size > largest) return refuse(`it has ${file.size} bytes, too many for a settings file`)
    const bytes = await file.read(0, file.size)
    try {
      return parsePythonJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    } catch (cause) {
      const kind = /^\s*[{[]/.test(new TextDecoder('latin1').decode(bytes.subarray(0, 64)))
        ? undefined
        : identify(bytes, file.size)
      return refuse(kind ? `it is ${kind}` : `it is not valid JSON (${reasonOf(cause).replaceAll(/\s+/g, ' ')})`, cause)
    }
  })
}
