import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { ProblemError } from '#app/contract/errors.ts'
import { bytesPerElement, showShape, sizeOf, type Tensor } from '#app/tensor/tensor.ts'
import { reasonOf } from './file.ts'
import { nameOf } from './safetensors-dtypes.ts'

/**
 * Writes a .safetensors file: as `path`.part first, synced, then renamed, so that no half file is ever seen under its name.
 * The widest elements come first and the header is padded to 8 bytes: every tensor is aligned to its element size.
 * Throws when a tensor's data does not fill its shape, and `disk` when it cannot be written.
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  const ordered = Object.entries(tensors).sort(
    ([a, x], [b, y]) => bytesPerElement[y.dtype] - bytesPerElement[x.dtype] || (a < b ? -1 : 1),
  )
  const header = headerOf(ordered, metadata)
  const part = `${path}.part`
  let file: FileHandle | undefined
  try {
    file = await open(part, 'w')
    await file.writeFile(header)
    for (const [, { data }] of ordered)
      await file.writeFile(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    await file.sync()
    await file.close()
    await rename(part, path)
  } catch (cause) {
    await file?.close().catch(() => undefined)
    await rm(part, { force: true }).catch(() => undefined)
    throw new ProblemError('disk', `${path} could not be written: ${reasonOf(cause)}.`, { file: path, cause })
  }
}

function headerOf(
  tensors: readonly (readonly [string, Tensor])[],
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array {
  const header: [string, unknown][] = metadata ? [['__metadata__', metadata]] : []
  let begin = 0
  for (const [name, { dtype, shape, data }] of tensors) {
    if (name === '__metadata__') throw new Error('a tensor cannot be named __metadata__ in a safetensors file')
    if (data.length !== sizeOf(shape))
      throw new Error(`tensor ${name}: ${data.length} values do not fill shape ${showShape(shape)}`)
    const end = begin + data.byteLength
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
