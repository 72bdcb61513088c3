import fc from 'fast-check'
import { bytesPerElement, sizeOf, type DType } from '#app/tensor/tensor.ts'
import { storageTypes, type TestArchive, type TestView } from './test-pickle.ts'
import type { Weights } from './weights.ts'

const dtypes = Object.keys(storageTypes) as DType[]
const small = fc.nat({ max: 4 })

/** Tensors whose shapes, strides and starts are left to chance: many reach past their storage. */
export const anyArchive: fc.Arbitrary<TestArchive> = fc
  .record({
    storages: fc.array(
      fc.record({
        dtype: fc.constantFrom(...dtypes),
        elements: fc.integer({ min: 1, max: 40 }),
        extra: fc.integer({ min: -2, max: 27 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    views: fc.uniqueArray(
      fc.record({
        name: fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('__proto__', 'down_blocks.0.weight')),
        storage: fc.nat(),
        start: fc.oneof(fc.constant(0), fc.nat({ max: 20 })),
        axes: fc.array(fc.tuple(small, fc.oneof(small, fc.nat({ max: 20 }))), { maxLength: 4 }),
        plain: fc.boolean(),
        as: fc.constantFrom('v2' as const, 'v3' as const, 'parameter' as const),
      }),
      { selector: ({ name }) => name, minLength: 1, maxLength: 4 },
    ),
    inside: fc.boolean(),
  })
  .map(({ storages, views, inside }) => ({
    inside,
    storages: storages.map(({ dtype, elements, extra }) => {
      const bytes = elements * bytesPerElement[dtype] + (extra < 3 ? extra : 0)
      return { dtype, elements, bytes: Uint8Array.from({ length: bytes }, (_, i) => (i * 37 + elements) % 256) }
    }),
    views: views.map(({ name, storage, start, axes, plain, as }): TestView => {
      const shape = axes.map(([size]) => size)
      const rowMajor = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
      return { name, storage: storage % storages.length, start, shape, strides: plain ? rowMajor : axes.map(([, stride]) => stride), as } // prettier-ignore
    }),
  }))

/** Tensors that are all within their storages. */
export const validArchive = anyArchive.map(({ inside, storages, views }): TestArchive => {
  const whole = storages.map(({ dtype, elements }, i) => {
    const bytes = new Uint8Array(elements * bytesPerElement[dtype]).fill(i + 1)
    return { dtype, elements, bytes }
  })
  return {
    inside,
    storages: whole,
    views: views.map((view) => ({ ...view, start: 0, shape: [1, whole[view.storage]!.elements], strides: [1, 1] })),
  }
})

/**
 * What was read, to be compared: names, types, shapes, and where the bytes are; not the bytes, which an edit may well
 * change.
 */
export const shown = ({ weights }: { weights: Weights }): string =>
  JSON.stringify(
    [...weights.values()].map(({ name, dtype, shape, source }) => [
      name,
      dtype,
      shape,
      'bytes' in source ? source.bytes.length : [source.offset, source.length],
    ]),
  )
