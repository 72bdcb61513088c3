import { dirname, join } from 'node:path'
import { ProblemError } from '#app/contract/errors.ts'
import { summarise, type WeightSummary } from '../folder.ts'
import { openWeightsFile } from '../open.ts'
import type { Weight, Weights } from '../weights.ts'
import { contentsOf } from './contents.ts'
import { below } from './views.ts'

/**
 * An IP-Adapter's file: a projection of picture embeddings, and keys and values for each cross-attention layer of a
 * UNet. Source: diffusers/src/diffusers/loaders/unet.py@58eb52c _convert_ip_adapter_image_proj_to_diffusers.
 */
export type IpAdapter = {
  readonly file: string
  /** Weights of the projection by their names in the file, without its own. */
  readonly projection: Weights
  /** Of each layer, in the order of the file's numbers: down blocks, up blocks, the middle. */
  readonly layers: readonly { readonly to_k_ip: Weight; readonly to_v_ip: Weight }[]
  /** What of the image encoder it takes: its projected embedding, or its last hidden states but one. */
  readonly takes: 'image_embeds' | 'hidden_states'
  /** Width of what it takes, and of what the UNet looks at (its cross_attention_dim). */
  readonly embedDim: number
  readonly crossAttentionDim: number
  readonly summary: WeightSummary
}

/**
 * Opens an IP-Adapter (plain, plus, full face; .safetensors or .bin). Throws `bad-model` that says what the file is
 * instead or lacks, `unsupported` for one that takes embeddings of faces.
 */
export async function openIpAdapter(file: string): Promise<IpAdapter> {
  const { weights } = await openWeightsFile(file)
  const { kind, name } = contentsOf(weights)
  const refuse = (why: string): never => {
    throw new ProblemError('bad-model', `${file} ${why}`, { file })
  }
  if (kind !== 'ip-adapter') return refuse(`holds ${name}; an IP-Adapter is needed.`)
  const projection = below(weights, 'image_proj.')
  return {
    file,
    projection,
    ...projectionOf(projection, file, refuse),
    layers: layersOf(below(weights, 'ip_adapter.'), refuse),
    summary: summarise(weights),
  }
}

/** Where diffusers' load_ip_adapter looks for the image encoder of a file. */
export const imageEncoderBeside = (file: string): string => join(dirname(file), 'image_encoder')

type Refuse = (why: string) => never

function layersOf(weights: Weights, refuse: Refuse): IpAdapter['layers'] {
  const numbers = [...new Set([...weights.keys()].map((key) => Number(key.split('.')[0])))].sort((a, b) => a - b)
  return numbers.map((number) => {
    const of = (name: string): Weight =>
      weights.get(`${number}.${name}.weight`) ?? refuse(`has no weight "ip_adapter.${number}.${name}.weight".`)
    return { to_k_ip: of('to_k_ip'), to_v_ip: of('to_v_ip') }
  })
}

function projectionOf(
  projection: Weights,
  file: string,
  refuse: Refuse,
): Pick<IpAdapter, 'takes' | 'embedDim' | 'crossAttentionDim'> {
  const shape = (key: string): readonly number[] =>
    projection.get(key)?.shape ?? refuse(`has no weight "image_proj.${key}".`)
  if (projection.has('proj.weight'))
    return { takes: 'image_embeds', embedDim: shape('proj.weight')[1]!, crossAttentionDim: shape('norm.weight')[0]! }
  if (projection.has('proj.3.weight'))
    return {
      takes: 'hidden_states',
      embedDim: shape('proj.0.weight')[1]!,
      crossAttentionDim: shape('proj.3.weight')[0]!,
    }
  if (projection.has('latents'))
    return {
      takes: 'hidden_states',
      embedDim: shape('proj_in.weight')[1]!,
      crossAttentionDim: shape('proj_out.weight')[0]!,
    }
  throw new ProblemError(
    'unsupported',
    `${file} is an IP-Adapter that takes embeddings of faces (Face ID): it cannot be used here. Plain and plus ones can.`,
    { file },
  )
}
