import { constant, type Value } from '#app/graph/index.ts'

const lowestFloat = -3.4028234663852886e38

/** (1, 1, S, S): 0 where a token may look, `masked` where it is later than the one that looks. */
export function causalMask(like: Value, length: number, masked = lowestFloat): Value {
  return constant(
    like,
    [1, 1, length, length],
    Float32Array.from({ length: length * length }, (_, i) => (i % length > Math.floor(i / length) ? masked : 0)),
  )
}
