import { writeDurably, type Chunks } from '#app/files/durable.ts'
import { bytesPerElement, showShape, sizeOf, type DType, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import { withFile } from './file.ts'
import { nameOf } from './safetensors-dtypes.ts'
import type { Weight } from './weights.ts'

/**
 * Writes a .safetensors file, durably: no half file is ever seen under its name.
 * The widest elements come first and the header is padded to 8 bytes: every tensor is aligned to its element size.
 * Throws when a tensor's data does not fill its shape, and `disk` when it cannot be written.
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, { shape, data }] of Object.entries(tensors))
    if (data.length !== sizeOf(shape))
      throw new Error(`tensor ${name}: ${data.length} values do not fill shape ${showShape(shape)}`)
  await write(path, Object.entries(tensors).map(entryOf), metadata)
}

const entryOf = ([name, { dtype, shape, data }]: [string, Tensor]): Entry => ({
  name,
  dtype,
  shape,
  chunks: () => [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
})

/** The same for weights of other files, which are copied piece by piece: a model needs not fit into memory. */
export async function writeWeights(
  path: string,
  weights: Iterable<Weight>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  await write(
    path,
    [...weights].map((weight) => ({ ...weight, chunks: () => chunksOf(weight) })),
    metadata,
  )
}

const chunkBytes = 2 ** 24

async function* chunksOf({ source }: Weight): AsyncGenerator<Uint8Array> {
  if ('bytes' in source) {
    yield source.bytes
    return
  }
  for (let done = 0; done < source.length; done += chunkBytes)
    yield await withFile(source.file, (file) =>
      file.read(source.offset + done, Math.min(chunkBytes, source.length - done)),
    )
}

type Entry = {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  readonly chunks: () => Chunks
}

async function write(
  path: string,
  entries: readonly Entry[],
  metadata: Readonly<Record<string, string>> | undefined,
): Promise<void> {
  const ordered = entries.toSorted(
    (a, b) => bytesPerElement[b.dtype] - bytesPerElement[a.dtype] || (a.name < b.name ? -1 : 1),
  )
  await writeDurably(path, fileOf(headerOf(ordered, metadata), ordered))
}

async function* fileOf(header: Uint8Array, entries: readonly Entry[]): AsyncGenerator<Uint8Array> {
  yield header
  for (const { chunks } of entries) yield* chunks()
}

function headerOf(entries: readonly Entry[], metadata: Readonly<Record<string, string>> | undefined): Uint8Array {
  const header: [string, unknown][] = metadata ? [['__metadata__', metadata]] : []
  let begin = 0
  for (const { name, dtype, shape } of entries) {
    if (name === '__metadata__') throw new Error('a tensor cannot be named __metadata__ in a safetensors file')
    const end = begin + sizeOf(shape) * bytesPerElement[dtype]
    header.push([name, { dtype: nameOf.get(dtype), shape, data_offsets: [begin, end] }])
    begin = end
  }
  // Object.fromEntries keeps a key `__proto__` an ordinary one.
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)))
  const padded = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20)
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true)
  padded.set(json, 8)
  return padded
}
