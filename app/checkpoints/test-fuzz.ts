import fc from 'fast-check'
import { writeFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { ProblemError } from '#app/contract/errors.ts'
import { processorMs } from './testing.ts'

// FUZZ_RUNS=10000 makes a long run, as `npm run fuzz` does; FUZZ_SEED repeats one.
export const numRuns = Number(process.env.FUZZ_RUNS ?? 300)
export const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
export const options = { numRuns, seed, endOnFailure: true }
/** For a whole test, in milliseconds. */
export const limit = 300_000 + numRuns * 100

export const edits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.nat({ max: 3 }),
    insert: fc.uint8Array({ maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 3 },
)

/** The file with bytes removed and inserted at places of its first `length` bytes. */
export function edited(
  file: Uint8Array,
  changes: readonly { at: number; remove: number; insert: Uint8Array }[],
  length: number,
): Buffer {
  let bytes = Buffer.from(file)
  for (const { at, remove, insert } of changes) {
    const from = Math.floor(at * length)
    bytes = Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + remove)])
  }
  return bytes
}

/**
 * Gives a reader mutated files and keeps count. What is refused must be refused in words that name the file, and
 * neither may take long; whether what is accepted may be accepted is for the caller to judge.
 */
export function createReader<T>(name: string, open: (path: string) => Promise<T>) {
  const count = { refused: 0, accepted: 0, slowestMs: 0 }
  return {
    /** What was read, or null when it was refused. */
    async read(path: string, bytes: Uint8Array): Promise<T | null> {
      await writeFile(path, bytes)
      let opening: Promise<T> | undefined
      const took = await processorMs(async () => {
        opening = open(path)
        await opening.catch(() => undefined)
      })
      const outcome = await opening!.then(
        (opened) => ({ opened }),
        (error: unknown) => ({ error }),
      )
      count.slowestMs = Math.max(count.slowestMs, took)
      expect(took).toBeLessThan(1000)
      if ('opened' in outcome) {
        count.accepted++
        return outcome.opened
      }
      const { error } = outcome
      if (!(error instanceof ProblemError)) throw new Error(`not refused in words: ${String(error)}`, { cause: error })
      expect(error.problem.code).toBe('bad-model')
      expect(error.message).toContain(path)
      expect(error.message.length).toBeLessThan(path.length + 1000)
      count.refused++
      return null
    },
    report: (): void => {
      const { refused, accepted, slowestMs } = count
      if (process.env.FUZZ_RUNS)
        console.log(
          `${name}: ${refused + accepted} mutated files, ${refused} refused, ${accepted} accepted, each of them by the rules, slowest ${slowestMs.toFixed(0)} ms, seed ${seed}`,
        )
    },
  }
}
