import { createHash } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { readWeight } from '#app/checkpoints/read.ts'
import { readSafetensors } from '#app/checkpoints/safetensors.ts'
import type { Weight } from '#app/checkpoints/weights.ts'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { writerOf } from '#app/files/durable.ts'
import type { EightBit } from '#app/graph/passes/int8.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { isSound } from '#app/tensor/finite.ts'
import { sameShape, sizeOf, type Tensor } from '#app/tensor/tensor.ts'
import { damaged } from '../sound-weights.ts'
import { quantizeWeight, type WeightBits } from './quantize-weight.ts'

/**
 * Weights in 8 bits, each made once and then kept in files that onnxruntime maps, as it does the checkpoint's own. They
 * lie in `.frameloom` beside the weight file, or in the cache folder where that cannot be written. A file's name holds
 * the size and time of its source, so that a changed checkpoint is taken anew; each file is complete or not there, so
 * whoever comes first may write it.
 */

/** Changes when the layout, the rounding or what is refused does. */
const version = 3
/**
 * Tensors are gathered up to this many bytes before they are written: what is held in memory, and what an interruption
 * costs.
 */
const fileBytes = 256 * 2 ** 20
/** Where nothing can be written, weights up to this much are kept in memory: a model file must stay below 2 GiB. */
const mostInMemory = 2 ** 30

type Tensors = Record<string, Tensor>
type Found = Map<string, Weight>

/**
 * Told before each weight that is made the share that is there, from 0 on, and 1 at the end. What it throws stops the
 * making.
 */
export type OnQuantizing = (share: number) => void

/** How weights are made: their bits, and who wants to know. */
type Make = (weight: Weight) => Promise<Tensors>

/**
 * The given weights in 8 bits. Throws `not-finite` naming file and key of one that would be rounded away, `disk` when
 * they are large and there is no place for them, and what `onQuantizing` throws: what was written until then stays, and
 * is not made again.
 */
export async function eightBitWeights(
  weights: readonly Weight[],
  bits: WeightBits,
  {
    cacheDir = process.env['FRAMELOOM_CACHE'],
    onQuantizing,
  }: { cacheDir?: string | undefined; onQuantizing?: OnQuantizing | undefined } = {},
): Promise<Map<Weight, EightBit>> {
  const result = new Map<Weight, EightBit>()
  const total = numbersIn(weights)
  let [present, made] = [0, 0]
  const make: Make = async (weight) => {
    onQuantizing?.(Math.min(0.99, (present + made) / total)) // what a full disk refused is made twice
    const tensors = await quantized(weight, bits)
    made += sizeOf(weight.shape)
    return tensors
  }
  for (const [file, group] of bySource(weights)) {
    const stored = file === undefined ? undefined : await openStore(file, bits, cacheDir)
    present += numbersIn(group.filter((weight) => stored && isFound(stored.found, weight)))
    const found = stored ? await ofFile(stored, group, make) : await inMemory(group, make)
    for (const weight of group)
      result.set(weight, { columns: found.get(columnsName(weight))!, scales: found.get(scalesName(weight))! })
  }
  if (made > 0) onQuantizing?.(1)
  return result
}

/** With the place, because a single file may hold several models whose weights have the same names. */
const placed = ({ name, source }: Weight): string => ('file' in source ? `${name}@${source.offset}` : name)
const columnsName = (weight: Weight): string => `${placed(weight)}#int8`
const scalesName = (weight: Weight): string => `${placed(weight)}#scale`

function bySource(weights: readonly Weight[]): Map<string | undefined, Weight[]> {
  const groups = new Map<string | undefined, Weight[]>()
  for (const weight of weights) {
    const file = 'file' in weight.source ? weight.source.file : undefined
    groups.set(file, [...(groups.get(file) ?? []), weight])
  }
  return groups
}

/** Where the 8-bit weights of a file lie, and what is there. */
type Store = {
  /**
   * The file's name. Those of its weights begin with `present`, which stands for the file as it is now, and with
   * `stem`, with the bits.
   */
  readonly source: string
  readonly present: string
  readonly stem: string
  readonly folders: readonly string[]
  readonly found: Found
}

async function openStore(file: string, bits: WeightBits, cacheDir: string | undefined): Promise<Store> {
  const { size, mtimeMs } = await stat(file)
  const source = basename(file)
  const present = `${source}-${digest([version, size, mtimeMs], 16)}-`
  const stem = `${present}${bits}bit-`
  const folders = foldersFor(file, cacheDir)
  const found: Found = new Map()
  for (const folder of folders) await load(folder, stem, found)
  return { source, present, stem, folders, found }
}

async function ofFile(store: Store, weights: readonly Weight[], make: Make): Promise<Found> {
  const { stem, folders, found } = store
  let missing = weights.filter((weight) => !isFound(found, weight))
  for (const folder of folders) {
    if (missing.length === 0) break
    await removeStale(folder, store)
    if (await write(folder, stem, missing, make)) await load(folder, stem, found)
    missing = missing.filter((weight) => !isFound(found, weight))
  }
  return missing.length === 0 ? found : new Map([...found, ...(await inMemory(missing, make))])
}

function isFound(found: Found, weight: Weight): boolean {
  const [out, ...inner] = weight.shape
  const columns = found.get(columnsName(weight))
  return (
    columns?.dtype === 'int8' &&
    sameShape(columns.shape, [sizeOf(inner), out!]) &&
    found.get(scalesName(weight))?.dtype === 'float32'
  )
}

/**
 * Where the file's weights in 8 bits may lie, best first. What the application itself brings stays as it was installed.
 */
function foldersFor(file: string, cacheDir: string | undefined): string[] {
  const resources = process.env['FRAMELOOM_RESOURCES']
  const own = resources !== undefined && !relative(resources, file).startsWith('..')
  return [
    ...(own ? [] : [join(dirname(file), '.frameloom')]),
    ...(cacheDir === undefined ? [] : [join(cacheDir, 'int8', digest([file], 16))]),
  ]
}

async function load(folder: string, stem: string, found: Found): Promise<void> {
  const names = await readdir(folder).catch((): string[] => [])
  for (const name of names.filter((each) => each.startsWith(stem) && each.endsWith('.safetensors')))
    try {
      const { weights } = await readSafetensors(join(folder, name))
      for (const [key, weight] of weights) found.set(key, weight)
    } catch {
      await rm(join(folder, name), { force: true }).catch(() => undefined) // damaged: it is made again
    }
}

/**
 * Files that were made from the source before it changed, and halves that a process left which ended while it wrote.
 */
async function removeStale(folder: string, { source, present }: Store): Promise<void> {
  for (const name of await readdir(folder).catch((): string[] => [])) {
    const writer = writerOf(name)
    const stale = writer === undefined ? !name.startsWith(present) : !isAlive(writer)
    if (name.startsWith(`${source}-`) && stale) await rm(join(folder, name), { force: true }).catch(() => undefined)
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** False when the folder cannot be written. */
async function write(folder: string, stem: string, weights: readonly Weight[], make: Make): Promise<boolean> {
  let tensors: Tensors = {}
  let bytes = 0
  const flush = async (): Promise<void> => {
    await writeSafetensors(join(folder, `${stem}${digest(Object.keys(tensors), 8)}.safetensors`), tensors)
    tensors = {}
    bytes = 0
  }
  try {
    await mkdir(folder, { recursive: true })
    for (const weight of weights) {
      Object.assign(tensors, await make(weight))
      bytes += sizeOf(weight.shape)
      if (bytes >= fileBytes) await flush()
    }
    if (bytes > 0) await flush()
    return true
  } catch (error) {
    if (isDiskError(error)) return false
    throw error
  }
}

const isDiskError = (error: unknown): boolean =>
  (error instanceof ProblemError && error.problem.code === 'disk') ||
  ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR', 'EEXIST'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  )

async function quantized(weight: Weight, bits: WeightBits): Promise<Tensors> {
  const tensor = toFloat32(await readWeight(weight))
  if (!isSound(tensor)) throw damaged(weight)
  const { columns, scales } = quantizeWeight(tensor, bits)
  return { [columnsName(weight)]: columns, [scalesName(weight)]: scales }
}

async function inMemory(weights: readonly Weight[], make: Make): Promise<Found> {
  const total = numbersIn(weights)
  if (total > mostInMemory)
    throw new ProblemError(
      'disk',
      `The model's weights in 8 bits need ${Math.ceil(total / 2 ** 20)} MiB, and neither its folder nor the cache folder can hold them. Make room, or choose the precision float32.`,
    )
  const found: Found = new Map()
  for (const weight of weights)
    for (const [name, { dtype, shape, data }] of Object.entries(await make(weight)))
      found.set(name, {
        name,
        dtype,
        shape,
        source: { bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) },
      })
  return found
}

const numbersIn = (weights: readonly Weight[]): number => weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0)

const digest = (of: readonly unknown[], length: number): string =>
  createHash('sha256').update(JSON.stringify(of)).digest('hex').slice(0, length)
