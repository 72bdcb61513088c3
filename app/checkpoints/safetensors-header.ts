import { bytesPerElement, type DType, type Shape } from '#app/tensor/tensor.ts'
import { quoted, type Refuse } from './file.ts'
import { JsonCursor } from './json-cursor.ts'
import { dtypeOf, unsupportedDtypes } from './safetensors-dtypes.ts'

/** One tensor as the header describes it: bytes [begin, end) of the data that follows the header. */
export type HeaderTensor = {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  readonly begin: number
  readonly end: number
}

/** `metadata` has no prototype. */
export type Header = { readonly tensors: readonly HeaderTensor[]; readonly metadata: Record<string, string> }

/**
 * Reads the header's JSON (https://huggingface.co/docs/safetensors: "Format"); whether the offsets fit is left to
 * `checkLayout`.
 */
export function parseHeader(text: string, refuse: Refuse): Header {
  let owner: string | undefined
  let field: string | undefined
  const where = (): string => {
    const what = owner === undefined ? 'the header' : `tensor ${quoted(owner)}`
    return field === undefined ? what : `${field} of ${what}`
  }
  const fail = (reason: string): never => {
    field = undefined
    return refuse(`${where()} ${reason}`)
  }
  const cursor = new JsonCursor(text, refuse, where)
  const tensors = new Map<string, HeaderTensor>()
  let metadata: Record<string, string> | undefined

  function readMetadata(): Record<string, string> {
    const values = Object.create(null) as Record<string, string>
    if (cursor.null()) return values // Python's None, which the reference takes as well
    for (let key = cursor.firstKey(); key !== undefined; key = cursor.nextKey()) {
      if (key in values) fail(`has the key ${quoted(key)} twice in __metadata__`)
      field = `__metadata__ ${quoted(key)}`
      values[key] = cursor.string()
      field = undefined
    }
    return values
  }

  function readTensor(name: string): HeaderTensor {
    let dtype: DType | undefined
    let shape: number[] | undefined
    let offsets: number[] | undefined
    for (let key = cursor.firstKey(); key !== undefined; key = cursor.nextKey()) {
      field = key
      const known = key === 'dtype' ? dtype : key === 'shape' ? shape : key === 'data_offsets' ? offsets : 'none'
      if (known !== undefined && known !== 'none') return fail(`has the key ${quoted(key)} twice`)
      if (known === 'none')
        cursor.skip() // a field of later versions, which the reference passes over as well
      else if (key === 'dtype') dtype = supported(cursor.string(), fail)
      else if (key === 'shape') shape = cursor.integers()
      else offsets = cursor.integers()
      field = undefined
    }
    if (!dtype || !shape || !offsets) return fail(`has no ${!dtype ? 'dtype' : !shape ? 'shape' : 'data_offsets'}`)
    const [begin, end] = offsets
    if (begin === undefined || end === undefined || offsets.length > 2)
      return fail(`must have two data_offsets (begin and end), not ${offsets.length}`)
    return { name, dtype, shape, begin, end }
  }

  if (!text.startsWith('{')) refuse("it is not JSON: it must start with '{'")
  for (let key = cursor.firstKey(); key !== undefined; key = cursor.nextKey()) {
    if (tensors.has(key) || (key === '__metadata__' && metadata)) fail(`has the key ${quoted(key)} twice`)
    owner = key === '__metadata__' ? undefined : key
    if (owner === undefined) metadata = readMetadata()
    else tensors.set(owner, readTensor(owner))
    owner = undefined
  }
  cursor.end()
  return { tensors: [...tensors.values()], metadata: metadata ?? (Object.create(null) as Record<string, string>) }
}

function supported(name: string, fail: Refuse): DType {
  const dtype = dtypeOf.get(name)
  if (dtype) return dtype
  if (!unsupportedDtypes.has(name)) return fail(`has the unknown dtype ${quoted(name)}`)
  return fail(`has dtype ${name}, which is not supported (supported: ${[...dtypeOf.keys()].join(', ')})`)
}

const shown = (shape: Shape): string =>
  `[${shape.slice(0, 16).join(', ')}${shape.length > 16 ? `, … ${shape.length} sizes` : ''}]`

/**
 * Refuses tensors that do not fill exactly `dataBytes` bytes, without overlap or hole, each with as many as its shape
 * and dtype need.
 */
export function checkLayout(tensors: readonly HeaderTensor[], dataBytes: number, refuse: Refuse): void {
  for (const { name, dtype, shape, begin, end } of tensors) {
    const fail = (reason: string): never => refuse(`tensor ${quoted(name)} ${reason}`)
    if (end < begin) fail(`ends (${end}) before it begins (${begin})`)
    let bytes = bytesPerElement[dtype]
    for (const size of shape) {
      bytes *= size
      if (!Number.isSafeInteger(bytes)) fail(`has a shape whose product overflows: ${shown(shape)}`)
    }
    if (bytes !== end - begin)
      fail(`has ${end - begin} bytes, but its shape ${shown(shape)} of ${dtype} needs ${bytes}`)
    if (end > dataBytes)
      fail(`reaches past the end of the file (data byte ${end} of ${dataBytes}): it is cut short. Download it again`)
  }
  const sorted = [...tensors].sort((a, b) => a.begin - b.begin || a.end - b.end)
  let filled = 0
  for (const { name, begin, end } of sorted) {
    if (begin < filled) refuse(`tensor ${quoted(name)} overlaps the one before it (by ${filled - begin} bytes)`)
    if (begin > filled) refuse(`there is a hole of ${begin - filled} bytes before tensor ${quoted(name)}`)
    filled = end
  }
  if (filled === dataBytes) return
  const last = sorted.at(-1)
  refuse(`${dataBytes - filled} bytes follow ${last ? `the last tensor, ${quoted(last.name)}` : 'the empty header'}`)
}
