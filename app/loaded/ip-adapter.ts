import { basename } from 'node:path'
import type { IpAdapter } from '#app/checkpoints/layouts/ip-adapter.ts'
import type { Weight, Weights } from '#app/checkpoints/weights.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { processorPath, projectionPath } from '#app/models/blocks/ip-adapter.ts'

/**
 * A UNet's weights with those of an IP-Adapter beside them: the projection, and keys and values in each layer of
 * cross-attention. Throws bad-input naming the first layer that the adapter does not fit.
 */
export function withIpAdapter(unet: Weights, adapter: IpAdapter, index: number): Weights {
  const layers = crossAttentionLayers(unet)
  const refuse = (why: string): never => {
    const message = `${basename(adapter.file)} is an IP-Adapter for another model: ${why}.`
    throw new ProblemError('bad-input', message, { field: 'ipAdapter', file: adapter.file })
  }
  if (layers.length !== adapter.layers.length)
    refuse(`it has ${adapter.layers.length} layers, and the UNet ${layers.length} of cross-attention`)
  const all = new Map(unet)
  const put = (key: string, weight: Weight): void => {
    all.set(key, { ...weight, name: key })
  }
  for (const [name, weight] of adapter.projection) put(`${projectionPath(index)}.${name}`, weight)
  for (const [i, path] of layers.entries()) {
    const own = unet.get(`${path}.to_k.weight`)?.shape
    for (const name of ['to_k_ip', 'to_v_ip'] as const) {
      const weight = adapter.layers[i]![name]
      if (own && own.join() !== weight.shape.join())
        refuse(`its ${name} for ${path} is ${weight.shape.join('x')}, and the UNet's to_k is ${own.join('x')}`)
      put(`${processorPath(path, name, index)}.weight`, weight)
    }
  }
  return all
}

const layer =
  /^((?:down_blocks|up_blocks|mid_block)\..*\battentions\.\d+\.transformer_blocks\.\d+\.attn2)\.to_k\.weight$/
const sections = ['down_blocks', 'up_blocks', 'mid_block']

/**
 * The layers that look at the prompt, in the order of the reference's attn_processors: down, up, the middle. Those of
 * motion modules look at no prompt.
 */
function crossAttentionLayers(unet: Weights): string[] {
  const found = [...unet.keys()].flatMap((key) => layer.exec(key)?.[1] ?? [])
  const place = (path: string): number[] => [
    sections.indexOf(path.split('.')[0]!),
    ...[...path.matchAll(/\.(\d+)/g)].map(([, number]) => Number(number)),
  ]
  return found.sort((a, b) => {
    const [x, y] = [place(a), place(b)]
    const i = x.findIndex((number, i) => number !== y[i])
    return i < 0 ? 0 : x[i]! - (y[i] ?? 0)
  })
}
