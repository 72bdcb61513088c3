import { crc32 } from 'node:zlib'
import { ProblemError } from '#app/contract/errors.ts'
import { bytesPerElement } from '#app/tensor/tensor.ts'
import { type OpenFile, quoted, type Refuse, withFile } from './file.ts'
import { identify, identifyBytes } from './identify.ts'
import { readPickle } from './pickle.ts'
import { isTorchView, torchNames, type TorchView } from './torch-names.ts'
import { isContiguous, gather, spanOf } from './torch-views.ts'
import type { Weight, Weights, WeightSource } from './weights.ts'
import { readZip, type Zip, type ZipEntry } from './zip.ts'

const largestPickle = 100_000_000
// Real views (transposed, or parts of a fused weight) need a few; a file beyond that is made to take time or memory.
const mostReadForViews = 8

/**
 * Opens a PyTorch checkpoint (.bin, .ckpt, .pt, .pth as torch.save writes them since 1.6: a zip of a pickle and of
 * storages). The pickle is read as data by a table of known names, never run; the storages stay in the file. Only
 * strided views are read, to be gathered.
 * Throws `bad-model` naming the file and what is wrong, or what the file really is.
 */
export function readPytorch(path: string): Promise<{ weights: Weights; metadata: Record<string, string> }> {
  return withFile(path, async (file) => {
    const refuse: Refuse = (reason) => {
      throw new ProblemError('bad-model', `${path} is not a PyTorch checkpoint that can be read: ${reason}.`, {
        file: path,
      })
    }
    await checkIsZip(file, refuse)
    const zip = await readZip(file, refuse)
    const pickle = findPickle(zip, refuse)
    const folder = pickle.name.slice(0, -'data.pkl'.length)
    await checkByteOrder(file, zip, folder, refuse)
    const bytes = await file.read(await zip.locate(pickle), pickle.size)
    // torch.save writes 0 when its check sums are switched off (torch.serialization.set_crc32_options).
    if (pickle.crc32 && crc32(bytes) !== pickle.crc32) refuse('its pickle is damaged (check sum). Download it again')
    const top = readPickle(bytes, torchNames(refuse), refuse)
    const views = stateDict(top, refuse)
    return { weights: await locateWeights(file, zip, `${folder}data/`, views, refuse), metadata: textsOf(top) }
  })
}

async function checkIsZip(file: OpenFile, refuse: Refuse): Promise<void> {
  const head = await file.read(0, Math.min(file.size, identifyBytes))
  if (head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4) return
  const kind = identify(head, file.size)
  refuse(kind ? `it is no zip, it is ${kind}` : 'it is no zip, and nothing else that is known')
}

function findPickle(zip: Zip, refuse: Refuse): ZipEntry {
  const names = [...zip.entries.keys()]
  const pickles = names.filter((name) => /^[^/]*\/data\.pkl$/.test(name))
  if (names.some((name) => /^[^/]*\/(constants\.pkl|code\/)/.test(name)))
    return refuse('it is a TorchScript program, not weights alone')
  const pickle = zip.entries.get(pickles[0] ?? '')
  if (names.some((name) => name.endsWith('.npy'))) return refuse('it is a NumPy archive (.npz)')
  if (!pickle)
    return refuse(
      `it is a zip archive that is no PyTorch checkpoint (it holds ${quoted(names[0] ?? 'nothing')} and no data.pkl)`,
    )
  if (pickles.length > 1) return refuse(`it is a zip with ${pickles.length} data.pkl, where one is needed`)
  if (pickle.size > largestPickle) return refuse(`its pickle has ${pickle.size} bytes`)
  return pickle
}

async function checkByteOrder(file: OpenFile, zip: Zip, folder: string, refuse: Refuse): Promise<void> {
  const entry = zip.entries.get(`${folder}byteorder`)
  if (!entry) return
  const order = new TextDecoder('latin1').decode(await file.read(await zip.locate(entry), Math.min(entry.size, 16)))
  if (order !== 'little') refuse(`its byte order is ${quoted(order)}; only little-endian files can be read`)
}

/** The texts at the top of the file, such as the name of a textual inversion. */
const textsOf = (top: unknown): Record<string, string> =>
  Object.fromEntries(
    [...(top as ReadonlyMap<unknown, unknown>)].filter(
      (entry): entry is [string, string] => typeof entry[0] === 'string' && typeof entry[1] === 'string',
    ),
  )

/**
 * The tensors of the dict that training scripts call state_dict, else of the top dict, else of its module or model, of
 * what A1111 calls string_to_param, or of the two that an IP-Adapter has; other values are passed over.
 */
function stateDict(top: unknown, refuse: Refuse): ReadonlyMap<string, TorchView> {
  if (!(top instanceof Map)) return refuse('it holds no dict of tensors')
  const dict = top as ReadonlyMap<unknown, unknown>
  for (const candidate of [
    dict.get('state_dict'),
    dict,
    dict.get('module'),
    dict.get('model'),
    dict.get('string_to_param'),
  ]) {
    const views = tensorsOf(candidate)
    if (views.size > 0) return views
  }
  const joined = ipAdapterParts.flatMap((part) =>
    [...tensorsOf(dict.get(part))].map(([name, view]) => [`${part}.${name}`, view] as const),
  )
  if (joined.length > 0) return new Map(joined)
  const keys = [...dict.keys()].slice(0, 10).map((key) => quoted(String(key)))
  return refuse(`it holds no tensors, neither at its top (keys: ${keys.join(', ') || 'none'}) nor in a "state_dict"`)
}

/** Named as its safetensors files name them. Source: diffusers/src/diffusers/loaders/ip_adapter.py@58eb52c. */
const ipAdapterParts = ['image_proj', 'ip_adapter']

function tensorsOf(dict: unknown): Map<string, TorchView> {
  const views = new Map<string, TorchView>()
  if (!(dict instanceof Map)) return views
  for (const [name, value] of dict as ReadonlyMap<unknown, unknown>)
    if (typeof name === 'string' && isTorchView(value)) views.set(name, value)
  return views
}

async function locateWeights(
  file: OpenFile,
  zip: Zip,
  folder: string,
  views: ReadonlyMap<string, TorchView>,
  refuse: Refuse,
): Promise<Weights> {
  const starts = new Map<string, number>()
  const weights = new Map<string, Weight>()
  let gathered = 0
  let readForViews = 0
  for (const [name, view] of views) {
    const what = `tensor ${quoted(name)}`
    const { storage, dtype, shape } = view
    const entry = zip.entries.get(folder + storage.key)
    if (!entry) return refuse(`${what} is in ${quoted(folder + storage.key)}, which the zip does not have`)
    const start = starts.get(entry.name) ?? (await zip.locate(entry))
    starts.set(entry.name, start)

    const width = bytesPerElement[dtype]
    const span = spanOf(view)
    if (!Number.isSafeInteger(span.elements * width)) refuse(`the shape of ${what} overflows`)
    const held = storage.elements * (storage.dtype ? bytesPerElement[storage.dtype] : 1)
    if (held !== entry.size) refuse(`the storage of ${what} should have ${held} bytes and has ${entry.size}`)
    if (span.end * width > held) refuse(`${what} reaches past the end of its storage`)

    const length = span.elements * width
    let source: WeightSource
    if (isContiguous(view) || length === 0)
      source = { file: file.path, offset: start + (length === 0 ? 0 : view.start * width), length }
    else {
      const spanned = (span.end - view.start) * width
      gathered += length
      readForViews += spanned
      if (gathered > file.size || readForViews > mostReadForViews * file.size)
        refuse(`${what} repeats its storage (an expanded or strided view) beyond the size of the file`)
      const bytes = await file.read(start + view.start * width, spanned)
      source = { bytes: gather(bytes, view) }
    }
    weights.set(name, { name, dtype, shape, source })
  }
  return weights
}
