import { bytesPerElement, type DType, type Shape } from '#app/tensor/tensor.ts'
import { quoted, type Refuse } from './file.ts'
import type { Budget, Known, Opaque, PickleNames } from './pickle.ts'

/** A block of elements that tensors are views of: the zip's entry data/`key`. */
export type TorchStorage = { readonly key: string; readonly dtype: DType | undefined; readonly elements: number }

/** A tensor of a PyTorch file: sizes, strides and offset count elements of the storage. */
export type TorchView = {
  readonly storage: TorchStorage
  readonly dtype: DType
  readonly shape: Shape
  readonly strides: readonly number[]
  readonly start: number
}

export const isTorchView = (value: unknown): value is TorchView =>
  typeof value === 'object' && value !== null && 'strides' in value

const storageTypes: ReadonlyMap<string, DType | undefined> = new Map<string, DType | undefined>([
  ['torch.DoubleStorage', 'float64'],
  ['torch.FloatStorage', 'float32'],
  ['torch.HalfStorage', 'float16'],
  ['torch.BFloat16Storage', 'bfloat16'],
  ['torch.LongStorage', 'int64'],
  ['torch.IntStorage', 'int32'],
  ['torch.ShortStorage', 'int16'],
  ['torch.CharStorage', 'int8'],
  ['torch.ByteStorage', 'uint8'],
  ['torch.BoolStorage', 'bool'],
  ['torch.UntypedStorage', undefined],
  ['torch.storage.UntypedStorage', undefined],
])

// Values beside the weights in training checkpoints (Lightning's, the original Stable Diffusion's): kept closed, never
// looked into.
const opaqueNames: ReadonlySet<string> = new Set([
  '_codecs.encode',
  'numpy.dtype',
  'numpy.ndarray',
  'numpy.core.multiarray.scalar',
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray.scalar',
  'numpy._core.multiarray._reconstruct',
  'collections.defaultdict',
  'collections.Counter',
  '__builtin__.set',
  'builtins.set',
  '__builtin__.int',
  'builtins.int',
  '__builtin__.float',
  'builtins.float',
  '__builtin__.dict',
  'builtins.dict',
  '__builtin__.list',
  'builtins.list',
  'torch.Size',
  'torch.device',
  'pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint',
  'lightning.pytorch.callbacks.model_checkpoint.ModelCheckpoint',
  'pytorch_lightning.utilities.parsing.AttributeDict',
])

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
// torch's own limit of dimensions is 64 (c10/core/TensorImpl.h); a longer list, used again and again, would only cost
// time.
const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= 64 && value.every(isCount)
const isStorage = (value: unknown): value is TorchStorage =>
  typeof value === 'object' && value !== null && 'elements' in value
const isDtype = (value: unknown): value is { dtype: DType } =>
  typeof value === 'object' && value !== null && 'name' in value && 'dtype' in value

/** The names that a checkpoint's pickle may use, and what each means here; every other name is refused. */
export function torchNames(refuse: Refuse): PickleNames {
  const tensor = (args: readonly unknown[], dtype: DType | undefined, what: string): TorchView => {
    const [storage, start, shape, strides, requiresGrad = false] = args
    if (typeof requiresGrad !== 'boolean') refuse(`a tensor in it is built with a bad requires_grad (${what})`)
    if (!isStorage(storage) || !isCount(start) || !isCounts(shape) || !isCounts(strides))
      return refuse(`a tensor in it is not built from a storage, an offset, a shape and strides (${what})`)
    if (shape.length !== strides.length)
      refuse(`a tensor in it has ${shape.length} sizes but ${strides.length} strides`)
    const type = dtype ?? storage.dtype
    if (!type) return refuse(`a tensor in it has no element type (${what})`)
    return { storage, dtype: type, shape, strides, start }
  }
  const plain = (metadata: unknown): void => {
    // Lazily conjugated or negated tensors hold other values than their storage does (torch/_utils.py).
    if (metadata !== undefined && metadata !== null && !(metadata instanceof Map && metadata.size === 0))
      refuse('a tensor in it is a conjugate or negated view')
  }
  /**
   * Its own function for a name, called with as many arguments as the function of that name in torch/_utils.py takes.
   */
  const taking = (
    least: number,
    most: number,
    name: string,
    call: (args: readonly unknown[], what: string) => unknown,
  ): Known => ({
    name: `torch._utils.${name}`,
    call: (args) => {
      if (args.length < least || args.length > most) refuse(`its pickle calls ${name} with ${args.length} arguments`)
      return call(args, name)
    },
  })

  const functions: readonly Known[] = [
    { name: 'collections.OrderedDict', call: orderedDict },
    taking(4, 4, '_rebuild_tensor', (args, what) => tensor(args, undefined, what)),
    taking(6, 7, '_rebuild_tensor_v2', (args, what) => {
      plain(args[6])
      return tensor(args, undefined, what)
    }),
    taking(7, 8, '_rebuild_tensor_v3', (args, what) => {
      plain(args[7])
      if (!isDtype(args[6])) return refuse(`a tensor in it has no element type (${what})`)
      return tensor(args, args[6].dtype, what)
    }),
    taking(3, 3, '_rebuild_parameter', parameter),
    taking(4, 4, '_rebuild_parameter_with_state', parameter),
  ]
  const table = new Map<string, Known>(functions.map((known) => [known.name, known]))
  for (const [name, dtype] of storageTypes) table.set(name, Object.assign({ name }, { dtype }))
  for (const dtype of Object.keys(bytesPerElement))
    table.set(`torch.${dtype}`, Object.assign({ name: dtype }, { dtype }))
  for (const name of opaqueNames) table.set(name, { name, call: (): Opaque => ({ opaque: name }) })

  function orderedDict(args: readonly unknown[], budget: Budget): Map<unknown, unknown> {
    const dict = new Map<unknown, unknown>()
    if (args.length === 0) return dict
    const pairs = args[0]
    if (args.length > 1 || !Array.isArray(pairs)) return refuse('an OrderedDict in it is not built from pairs')
    budget(pairs.length)
    for (const pair of pairs as unknown[]) {
      if (!Array.isArray(pair) || pair.length !== 2 || pair[0] instanceof Map || dict.has(pair[0]))
        refuse('an OrderedDict in it is not built from pairs with different keys')
      else dict.set(pair[0], pair[1])
    }
    return dict
  }

  function parameter(args: readonly unknown[]): TorchView {
    return isTorchView(args[0]) && typeof args[1] === 'boolean'
      ? args[0]
      : refuse('a parameter in it is not built from a tensor')
  }

  return {
    known: (name) => {
      const known = table.get(name)
      if (known) return known
      const reason = /^torch\.(\w*Storage|(u?int|float|complex|q|bits)\w+)$/.test(name)
        ? 'an element type that is not supported'
        : 'which is not a name that weights need: loaded by PyTorch, it could run any code. Nothing was run'
      return refuse(`its pickle names ${quoted(name)}, ${reason}`)
    },
    persistent: (id) => {
      const [kind, type, key, device, elements] = Array.isArray(id) && id.length === 5 ? (id as unknown[]) : []
      const name = typeof type === 'object' && type !== null && 'name' in type ? String(type.name) : ''
      const named = typeof key === 'string' && typeof device === 'string'
      if (kind !== 'storage' || !storageTypes.has(name) || !named || !isCount(elements))
        return refuse('a storage in it is not described as PyTorch does')
      const storage: TorchStorage = { key, dtype: storageTypes.get(name), elements }
      return storage
    },
  }
}
