import type { Figures } from '#app/contract/profile.ts'

/** One way to compute one layer: its time, and what is in memory in the whole model while it runs. */
export type Option<Choice> = Figures & { readonly choice: Choice }

export type Plan<Choice> = Figures & { readonly choices: readonly Choice[] }

/**
 * The plans that nothing else beats in both time and memory, the fastest first. `layers` has the options of each layer;
 * `rest` is what no choice changes: the time of all else, and the most that it has in memory. For each bound on the
 * memory, every layer takes the fastest option that stays within it, so no combination has to be tried.
 */
export function paretoFront<Choice>(layers: readonly (readonly Option<Choice>[])[], rest: Figures): Plan<Choice>[] {
  const bounds = new Set([rest.peakBytes, ...layers.flat().map(({ peakBytes }) => peakBytes)])
  const plans = [...bounds].flatMap((bound) => {
    const taken = layers.map((options) => fastestWithin(options, bound))
    return taken.every((option) => option !== undefined) && rest.peakBytes <= bound ? [planOf(taken, rest)] : []
  })
  return unbeaten(plans)
}

/** A plan must take less memory than a faster one by this much. */
const worthSaving = 0.97

/** Those that no other beats or about equals, the fastest first. */
export function unbeaten<T extends Figures>(plans: readonly T[]): T[] {
  const front: T[] = []
  for (const plan of [...plans].sort((a, b) => a.milliseconds - b.milliseconds || a.peakBytes - b.peakBytes))
    if (front.every(({ peakBytes }) => plan.peakBytes < worthSaving * peakBytes)) front.push(plan)
  return front
}

/**
 * The fastest, the one with the least memory, and the one between them that gives up least of both, in that order; each
 * once.
 */
export function landmarks<T extends Figures>(front: readonly T[]): { fastest: T; balanced: T | undefined; least: T } {
  const [fastest, least] = [front[0]!, front.at(-1)!]
  const cost = ({ milliseconds, peakBytes }: T): number =>
    Math.log(milliseconds / fastest.milliseconds) + Math.log(peakBytes / least.peakBytes)
  const between = front.slice(1, -1).sort((a, b) => cost(a) - cost(b))
  return { fastest, balanced: between[0], least }
}

/**
 * An option must be faster than one before it by this much: measurements differ from one to the next, and choices
 * should not.
 */
const worthwhile = 0.9

const fastestWithin = <Choice>(options: readonly Option<Choice>[], bound: number): Option<Choice> | undefined =>
  options
    .filter(({ peakBytes }) => peakBytes <= bound)
    .reduce<Option<Choice> | undefined>(
      (best, option) => (best && option.milliseconds >= worthwhile * best.milliseconds ? best : option),
      undefined,
    )

function planOf<Choice>(taken: readonly Option<Choice>[], rest: Figures): Plan<Choice> {
  return {
    milliseconds: taken.reduce((sum, { milliseconds }) => sum + milliseconds, rest.milliseconds),
    peakBytes: taken.reduce((most, { peakBytes }) => Math.max(most, peakBytes), rest.peakBytes),
    choices: taken.map(({ choice }) => choice),
  }
}
