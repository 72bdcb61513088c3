import { createHash } from 'node:crypto'

/**
 * How long the tests of this folder are: CI runs their short form, `npm run faults` the other
 * (main/dev/long-tests.mjs).
 */
export const kills = Number(process.env['FAULT_KILLS'] ?? 0)
export const isLong = kills > 0

/** What a long form was, for docs/reliability.md. */
export const report = (words: string): void => console.log(`FAULTS: ${words}`)

/** Numbers from 0 to 1 that a seed repeats. */
export function drawn(name: string): () => number {
  const seed = Number(process.env['FAULT_SEED'] ?? 1)
  let n = 0
  return () => createHash('sha256').update(`${name} ${seed} ${n++}`).digest().readUInt32LE(0) / 2 ** 32
}
