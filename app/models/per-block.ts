import { ProblemError } from '#app/contract/errors.ts'

/** One number for all, or a list by block, whose entries are one number or one for each layer. */
export type PerLayer = number | readonly (number | readonly number[])[]

/** A config's "one for all or a list" as a list. Throws bad-model naming the key whose length does not fit. */
export function spread<T extends number | boolean>(value: T | readonly T[], count: number, key: string): T[] {
  const list = Array.isArray(value) ? [...(value as readonly T[])] : new Array<T>(count).fill(value as T)
  if (list.length !== count)
    throw new ProblemError(
      'bad-model',
      `config.json: ${key} has ${list.length} entries where the UNet has ${count} of them`,
      { field: key },
    )
  return list
}

/** The layers' values of block `block` in a list by block, whose entries are one number or one for each layer. */
export function layersOf(value: PerLayer, blocks: number, block: number, layers: number, key: string): number[] {
  if (typeof value === 'number') return new Array<number>(layers).fill(value)
  if (value.length !== blocks)
    spread(
      value.map(() => 0),
      blocks,
      key,
    )
  return spread(value[block]!, layers, key)
}
