import { crc32 } from 'node:zlib'
import type { DType } from '#app/tensor/tensor.ts'
import { zipBytes, type TestEntry } from './zip-testing.ts'

/** One opcode of a pickle with what belongs to it, as latin-1 text. */
export type Op = string

export type TestStorage = { dtype: DType; elements: number; bytes: Uint8Array }
export type TestView = {
  name: string
  storage: number
  start: number
  shape: readonly number[]
  strides: readonly number[]
  /** How torch writes it: as a tensor, with a dtype of its own beside an untyped storage, or inside a parameter. */
  as: 'v2' | 'v3' | 'parameter'
}
/** What torch.save writes of a dict of tensors. */
export type TestArchive = { storages: readonly TestStorage[]; views: readonly TestView[]; inside: boolean }

export const storageTypes: { readonly [D in DType]: string } = {
  float64: 'DoubleStorage',
  float32: 'FloatStorage',
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
  int64: 'LongStorage',
  int32: 'IntStorage',
  int16: 'ShortStorage',
  int8: 'CharStorage',
  uint8: 'ByteStorage',
  bool: 'BoolStorage',
}

const little = (value: number, bytes: number): string =>
  String.fromCharCode(...Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256))
export const text = (value: string): Op => {
  const latin = Buffer.from(value).toString('latin1')
  return `X${little(latin.length, 4)}${latin}`
}
export const global = (name: string): Op => `c${name.slice(0, name.lastIndexOf('.'))}\n${name.split('.').at(-1)}\n`
/** An integer as Python's pickle writes it. */
export function int(value: number | bigint): Op {
  if (typeof value === 'number' && value >= 0 && value < 2 ** 8) return `K${little(value, 1)}`
  if (typeof value === 'number' && Math.abs(value) < 2 ** 31)
    return `J${little(value < 0 ? value + 2 ** 32 : value, 4)}`
  const wide = Buffer.alloc(9)
  wide.writeBigInt64LE(BigInt(value))
  if (value < 0) wide[8] = 0xff
  return `\x8a\x09${wide.toString('latin1')}`
}
export const tuple = (items: readonly Op[]): Op[] => ['(', ...items, 't']
export const emptyDict = [global('collections.OrderedDict'), ')', 'R']

function storageOps({ storages }: TestArchive, { storage, as }: TestView): Op[] {
  const { dtype, elements, bytes } = storages[storage]!
  const [type, count] = as === 'v3' ? ['storage.UntypedStorage', bytes.length] : [storageTypes[dtype], elements]
  return [...tuple([text('storage'), global(`torch.${type}`), text(String(storage)), text('cpu'), int(count)]), 'Q']
}

export function viewOps(archive: TestArchive, view: TestView): Op[] {
  const { start, shape, strides, as } = view
  const numbers = (values: readonly number[]): Op[] => tuple(values.map(int))
  const common = [
    ...storageOps(archive, view),
    int(start),
    ...numbers(shape),
    ...numbers(strides),
    '\x89',
    ...emptyDict,
  ]
  const { dtype } = archive.storages[view.storage]!
  const rebuilt = [
    global(`torch._utils._rebuild_tensor_${as === 'v3' ? 'v3' : 'v2'}`),
    ...tuple(as === 'v3' ? [...common, global(`torch.${dtype}`)] : common),
    'R',
  ]
  return as === 'parameter'
    ? [global('torch._utils._rebuild_parameter'), ...tuple([...rebuilt, '\x89', ...emptyDict]), 'R']
    : rebuilt
}

const dictOps = (archive: TestArchive, views: readonly TestView[]): Op[] => [
  ...['}', '('],
  ...views.flatMap((view) => [text(view.name), ...viewOps(archive, view)]),
  'u',
]

/** A dict of dicts, of the tensors whose names begin with its keys. */
export const nestedPickleOps = (archive: TestArchive, keys: readonly string[]): Op[] => {
  const below = (key: string): TestView[] =>
    archive.views
      .filter(({ name }) => name.startsWith(`${key}.`))
      .map((view) => ({ ...view, name: view.name.slice(key.length + 1) }))
  return ['\x80\x02', '}', '(', ...keys.flatMap((key) => [text(key), ...dictOps(archive, below(key))]), 'u', '.']
}

export function pickleOps(archive: TestArchive): Op[] {
  const dict = dictOps(archive, archive.views)
  const top = archive.inside ? ['}', text('state_dict'), ...dict, 's'] : dict
  return ['\x80\x02', ...top, '.']
}

/** The entries of the zip around a pickle; `more` overrides the pickle's entry. */
export function archiveEntries(
  { storages }: TestArchive,
  ops: readonly Op[],
  more: Partial<TestEntry> = {},
): TestEntry[] {
  const bytes = Buffer.from(ops.join(''), 'latin1')
  return [
    { name: 'archive/data.pkl', bytes, crc32: crc32(bytes), ...more },
    { name: 'archive/byteorder', bytes: Buffer.from('little') },
    ...storages.map(({ bytes }, i) => ({ name: `archive/data/${i}`, bytes })),
    { name: 'archive/version', bytes: Buffer.from('3\n') },
  ]
}

export const archiveBytes = (archive: TestArchive, ops = pickleOps(archive), zip64 = false): Buffer =>
  zipBytes(archiveEntries(archive, ops), { zip64 })
