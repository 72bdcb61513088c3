import { ProblemError } from '#app/contract/errors.ts'
import { reasonOf, withFile } from './file.ts'

const largest = 100_000_000

/** Any JSON value of a file, to be parsed by a schema. Throws `bad-model` naming the file when it is no JSON. */
export function readJson(path: string): Promise<unknown> {
  return withFile(path, async (file) => {
    const refuse = (reason: string, cause?: unknown): never => {
      throw new ProblemError('bad-model', `${path} cannot be read: ${reason}.`, { file: path, cause })
    }
    if (file.size > largest) return refuse(`it has ${file.size} bytes, too many for a settings file`)
    const bytes = await file.read(0, file.size)
    try {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown
    } catch (cause) {
      return refuse(`it is not valid JSON (${reasonOf(cause)})`, cause)
    }
  })
}
