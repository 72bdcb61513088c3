import { isObject, plain, type ForeignNotes } from './foreign-notes.ts'
import { scheduleNamed, schedulerNamed } from './foreign-schedulers.ts'

type Node = { type: string; inputs: Record<string, unknown> }
type Graph = ReadonlyMap<string, Node>

/**
 * What ComfyUI was asked for: `prompt`, its graph as it ran, or else `workflow`, as its page keeps it. Only what stands
 * at the sampler is understood; every node beside it that is not is named.
 */
export function readComfy(
  prompt: Record<string, unknown> | undefined,
  workflow: Record<string, unknown> | undefined,
): ForeignNotes | undefined {
  const graph = prompt ? graphOf(prompt) : workflow ? graphOfPage(workflow) : new Map<string, Node>()
  const sampler = [...graph.values()].find(({ type, inputs }) => /KSampler/.test(type) && 'positive' in inputs)
  if (!sampler) return undefined
  const used = new Set<Node>([sampler])
  const { inputs } = sampler
  const values: ForeignNotes['values'] = {
    seed: valueOf(graph, inputs['seed'] ?? inputs['noise_seed'], used),
    numInferenceSteps: valueOf(graph, inputs['steps'], used),
    guidanceScale: valueOf(graph, inputs['cfg'], used),
    prompt: textOf(graph, inputs['positive'], used),
    negativePrompt: textOf(graph, inputs['negative'], used),
  }
  const left: string[] = []
  const named = typeof inputs['sampler_name'] === 'string' ? schedulerNamed(inputs['sampler_name']) : {}
  values.scheduler = named.scheduler
  if (named.rest) left.push(`sampler_name: ${named.rest}`)
  const { scheduler } = inputs
  const schedule = typeof scheduler === 'string' ? scheduleNamed(scheduler, named.scheduler) : undefined
  if (schedule) values.schedulerConfig = schedule
  else if (scheduler !== undefined && scheduler !== 'normal') left.push(`scheduler: ${plain(scheduler)}`)
  if (inputs['denoise'] !== undefined && inputs['denoise'] !== 1) left.push(`denoise: ${plain(inputs['denoise'])}`)

  const latents = upstream(graph, inputs['latent_image'], ({ inputs }) => 'width' in inputs && 'height' in inputs)
  if (latents) {
    used.add(latents)
    values.width = valueOf(graph, latents.inputs['width'], used)
    values.height = valueOf(graph, latents.inputs['height'], used)
    const moves = [...graph.values()].some(({ type }) => /AnimateDiff/.test(type))
    const batch = valueOf(graph, latents.inputs['batch_size'], used)
    if (moves) values.numFrames = batch
    else if (batch !== undefined && batch !== 1) left.push(`batch_size: ${plain(batch)}`)
  }
  for (const node of graph.values()) {
    const { type, inputs } = node
    if (type === 'CLIPSetLastLayer' && Number(inputs['stop_at_clip_layer']) < 0) {
      const skipped = -Number(inputs['stop_at_clip_layer']) - 1
      values.clipSkip = skipped > 0 ? skipped : null
    } else if (!used.has(node) && !/^(Save|Preview|VAEDecode|Note|Reroute|SetNode|GetNode|Primitive)/.test(type))
      left.push(described(node))
  }
  return { values, left: [...new Set(left)] }
}

/** "CheckpointLoaderSimple: dreamshaper.safetensors" */
function described({ type, inputs }: Node): string {
  const words = Object.entries(inputs).flatMap(([name, value]) =>
    (typeof value === 'string' && /name|model|text/.test(name)) || typeof value === 'number' ? [String(value)] : [],
  )
  return words.length > 0 ? `${type}: ${words.join(', ').slice(0, 100)}` : type
}

const isLink = (value: unknown): value is [string | number, number] => Array.isArray(value) && value.length === 2

const nodeAt = (graph: Graph, link: unknown): Node | undefined =>
  isLink(link) ? graph.get(String(link[0])) : undefined

/** The nearest node of that kind behind an input, at most once through each. */
function upstream(graph: Graph, link: unknown, is: (node: Node) => boolean): Node | undefined {
  const seen = new Set<Node>()
  const waiting = [nodeAt(graph, link)]
  for (let node = waiting.shift(); node || waiting.length > 0; node = waiting.shift()) {
    if (!node || seen.has(node)) continue
    if (is(node)) return node
    seen.add(node)
    waiting.push(...Object.values(node.inputs).map((input) => nodeAt(graph, input)))
  }
  return undefined
}

/** A value that stands at an input, or is given to it by a node that has but one. */
function valueOf(graph: Graph, input: unknown, used: Set<Node>): unknown {
  const seen = new Set<Node>()
  for (let value = input; ;) {
    const node = nodeAt(graph, value)
    if (!node) return isLink(value) ? undefined : value
    if (seen.has(node)) return undefined
    seen.add(node)
    used.add(node)
    const { inputs } = node
    value = ['value', 'seed', 'noise_seed', 'int', 'float', 'text', 'string'].map((name) => inputs[name]).find(Boolean)
    if (value === undefined) return undefined
  }
}

function textOf(graph: Graph, link: unknown, used: Set<Node>): unknown {
  const node = upstream(graph, link, ({ inputs }) => 'text' in inputs)
  if (!node) return undefined
  used.add(node)
  return valueOf(graph, node.inputs['text'], used)
}

function graphOf(prompt: Record<string, unknown>): Graph {
  const nodes = Object.entries(prompt).flatMap(([id, node]): [string, Node][] =>
    isObject(node) && typeof node['class_type'] === 'string' && isObject(node['inputs'])
      ? [[id, { type: node['class_type'], inputs: node['inputs'] }]]
      : [],
  )
  return new Map(nodes)
}

/** Names of the widgets of nodes, which the page's form keeps by their order alone. */
const widgets: Readonly<Record<string, readonly string[]>> = {
  KSampler: ['seed', '', 'steps', 'cfg', 'sampler_name', 'scheduler', 'denoise'],
  KSamplerAdvanced: ['', 'noise_seed', '', 'steps', 'cfg', 'sampler_name', 'scheduler'],
  CLIPTextEncode: ['text'],
  EmptyLatentImage: ['width', 'height', 'batch_size'],
  CheckpointLoaderSimple: ['ckpt_name'],
  LoraLoader: ['lora_name', 'strength_model', 'strength_clip'],
  CLIPSetLastLayer: ['stop_at_clip_layer'],
}

function graphOfPage({ nodes, links }: Record<string, unknown>): Graph {
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
  // A link: id, node and slot that it comes from, node and slot that it goes to, type.
  const sources = new Map(list(links).flatMap((link) => (Array.isArray(link) ? [[link[0], [link[1], link[2]]]] : [])))
  const entries = list(nodes).flatMap((node): [string, Node][] => {
    if (!isObject(node) || typeof node['type'] !== 'string') return []
    const values = list(node['widgets_values'])
    const named = (widgets[node['type']] ?? []).map((name, i): [string, unknown] => [name, values[i]])
    const linked = list(node['inputs']).flatMap((input): [string, unknown][] =>
      isObject(input) && sources.has(input['link']) ? [[String(input['name']), sources.get(input['link'])]] : [],
    )
    return [[String(node['id']), { type: node['type'], inputs: Object.fromEntries([...named, ...linked]) }]]
  })
  return new Map(entries)
}
