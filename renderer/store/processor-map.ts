import { attnProcessorTable, isAddedKv, offered } from '#app/contract/attn-processor-table.ts'
import {
  isOneProcessor,
  type AttnChoice,
  type AttnProcessor,
  type AttnProcessorMap,
} from '#app/contract/attn-processors.ts'
import type { ModelEntry } from '#app/contract/models.ts'
import { menuWords, spelled } from './attention.ts'

/** Layers of one block and one kind, in the order of the model. */
export type LayerGroup = { title: string; paths: string[] }

const kinds: Readonly<Record<string, string>> = { attentions: 'picture', motion_modules: 'motion' }
const blocks: Readonly<Record<string, string>> = { down_blocks: 'Down', mid_block: 'Middle', up_blocks: 'Up' }
const order = Object.keys(blocks)
const inOrder = new Intl.Collator('en', { numeric: true })

function titleOf(path: string): string {
  const [, block = '', index, kind = ''] = /^(\w+?_blocks?)(?:\.(\d+))?\.(\w+)\./.exec(path) ?? []
  const name = blocks[block]
  if (name === undefined) return 'Other layers'
  return `${name}${index === undefined ? '' : ` ${Number(index) + 1}`}, ${kinds[kind] ?? kind}`
}

/** The attention layers by block, as a picture passes through them. */
export function groupsOf(paths: readonly string[]): LayerGroup[] {
  const rank = (path: string): number => (order.indexOf(path.split('.')[0]!) + order.length + 1) % (order.length + 1)
  const groups = new Map<string, string[]>()
  for (const path of paths.toSorted((a, b) => rank(a) - rank(b) || inOrder.compare(a, b))) {
    const title = titleOf(path)
    groups.set(title, [...(groups.get(title) ?? []), path])
  }
  return [...groups].map(([title, inside]) => ({ title, paths: inside }))
}

/** What tells a layer from the others of its group. */
export const layerName = (path: string): string =>
  path
    .replace(/^(down_blocks|up_blocks)\.\d+\.|^mid_block\./, '')
    .replace(/\.processor$/, '')
    .replace('transformer_blocks.', '')

export const sameProcessor = (a: AttnProcessor, b: AttnProcessor): boolean => spelled(a) === spelled(b)

export const differing = (map: AttnProcessorMap, defaults: AttnProcessorMap): string[] =>
  Object.keys(defaults).filter((path) => !sameProcessor(map[path]!, defaults[path]!))

/** A choice spread over a model's layers. `strangers`: how many of its layers this model has not; they are left out. */
export function spread(
  choice: AttnChoice | null,
  defaults: AttnProcessorMap,
): { map: AttnProcessorMap; strangers: number } {
  if (choice === null) return { map: defaults, strangers: 0 }
  const map = Object.fromEntries(
    Object.entries(defaults).map(([path, initial]) => [
      path,
      isOneProcessor(choice) ? choice : (choice[path] ?? initial),
    ]),
  )
  const strangers = isOneProcessor(choice) ? 0 : Object.keys(choice).filter((path) => !(path in defaults)).length
  return { map, strangers }
}

/** The shortest choice that says the same: nothing for the default, one processor where all layers have it. */
export function choiceOf(map: AttnProcessorMap, defaults: AttnProcessorMap): AttnChoice | null {
  if (differing(map, defaults).length === 0) return null
  const [first, ...others] = Object.values(map)
  return first && others.every((one) => sameProcessor(one, first)) ? first : map
}

export const sameChoice = (a: AttnChoice | null, b: AttnChoice | null): boolean => {
  if (a === null || b === null) return a === b
  if (isOneProcessor(a) || isOneProcessor(b)) return isOneProcessor(a) && isOneProcessor(b) && sameProcessor(a, b)
  const paths = Object.keys({ ...a, ...b })
  return paths.every((path) => a[path] !== undefined && b[path] !== undefined && sameProcessor(a[path], b[path]))
}

/** A processor as a menu names it: without its slice size. */
export const menuKey = (one: AttnProcessor): string =>
  'weights' in one && one.weights !== undefined ? `${one.processor} ${one.weights}` : one.processor

export type MenuEntry = { key: string; label: string; detail: string; processor: AttnProcessor }

/** The processors that a layer may have, by what it has at first. */
export const menuOf = (initial: AttnProcessor, models: readonly ModelEntry[]): MenuEntry[] => [
  ...offered(isAddedKv(initial)).map((one): MenuEntry => ({ key: menuKey(one), ...menuWords(one), processor: one })),
  ...(isAddedKv(initial) ? [] : models.filter((model) => model.kind === 'custom-diffusion')).map(
    ({ id, name }): MenuEntry => {
      const processor = { processor: 'CustomDiffusionAttnProcessor2_0', weights: id } as const
      return { key: menuKey(processor), label: name, detail: attnProcessorTable[processor.processor].menu, processor }
    },
  ),
]
