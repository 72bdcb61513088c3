import { ProblemError } from '#app/contract/errors.ts'

/** The weights of a folder as its file names tell: one file, or an index that maps keys to shards. */
export type WeightFiles = { readonly kind: 'single' | 'sharded'; readonly name: string; readonly variant?: string }

// diffusers/src/diffusers/utils/constants.py@58eb52c and transformers/utils/__init__.py; safetensors first, as both do.
const names: readonly { stem: string; extension: string }[] = [
  { stem: 'diffusion_pytorch_model', extension: 'safetensors' },
  { stem: 'model', extension: 'safetensors' },
  { stem: 'diffusion_pytorch_model', extension: 'bin' },
  { stem: 'pytorch_model', extension: 'bin' },
]

// Half-precision twins of the full weights; taken unasked only where there is nothing else.
const substitutes = ['fp16', 'bf16']

const plainWord = /^[\w-]+$/

/** The file names that may hold a folder's weights, best first. */
function candidates(variant: string | undefined): WeightFiles[] {
  const of = variant === undefined ? {} : { variant }
  const tag = variant === undefined ? '' : `.${variant}`
  return names.flatMap(({ stem, extension }): WeightFiles[] => [
    { kind: 'single', name: `${stem}${tag}.${extension}`, ...of },
    { kind: 'sharded', name: `${stem}.${extension}.index${tag}.json`, ...of },
    // An older place for the variant's name, still found on the hub.
    ...(tag ? [{ kind: 'sharded', name: `${stem}${tag}.${extension}.index.json`, ...of } as const] : []),
  ])
}

/**
 * Chooses the weights among a folder's file names. Without `variant` the plain names, else the fp16 or bf16 ones when
 * only they exist.
 * Throws `bad-model` naming the folder and the names that were looked for.
 */
export function findWeights(folder: string, present: ReadonlySet<string>, variant?: string): WeightFiles {
  if (variant !== undefined && !plainWord.test(variant))
    throw new ProblemError('bad-input', `The variant "${variant}" must be a plain word such as fp16.`, {
      field: 'variant',
    })
  const tried = candidates(variant)
  const all = variant === undefined ? [...tried, ...substitutes.flatMap(candidates)] : tried
  const found = all.find(({ name }) => present.has(name))
  if (found) return found
  const others = [...present].filter((name) => /\.(safetensors|bin|ckpt|pt|pth|gguf|h5|msgpack|onnx)$/.test(name))
  throw new ProblemError(
    'bad-model',
    `${folder} has no weights${variant === undefined ? '' : ` of the variant ${variant}`}. Looked for: ${tried
      .map(({ name }) => name)
      .join(', ')}. ${others.length ? `There are: ${others.sort().slice(0, 10).join(', ')}.` : 'There is none.'}`,
    { file: folder },
  )
}
