import { isOneProcessor, type AttnChoice } from '#app/contract/attn-processors.ts'

/** The processors in a menu: by their names, `sliced` with its size, `custom` for maps and all others; '' is the default. */
export type AttentionKind = '' | 'AttnProcessor' | 'AttnProcessor2_0' | 'sliced' | 'custom'

export function attentionKind(choice: AttnChoice | null): AttentionKind {
  if (choice === null) return ''
  if (!isOneProcessor(choice)) return 'custom'
  switch (choice.processor) {
    case 'AttnProcessor':
    case 'AttnProcessor2_0':
      return choice.processor
    case 'SlicedAttnProcessor':
      return 'sliced'
    default:
      return 'custom'
  }
}

export const menuKinds = ['', 'AttnProcessor', 'AttnProcessor2_0', 'sliced'] as const
export const kindWords: Readonly<Record<(typeof menuKinds)[number], { label: string; detail: string }>> = {
  '': { label: 'Default', detail: 'What the engine takes for each layer' },
  AttnProcessor: { label: 'AttnProcessor', detail: 'In plain steps' },
  AttnProcessor2_0: { label: 'AttnProcessor2_0', detail: 'Fused' },
  sliced: { label: 'Sliced', detail: 'Some heads at a time: less memory, slower' },
}

/** In words; `layers` of a map are counted. */
export function attentionLabel(choice: AttnChoice | null): string {
  if (choice === null) return 'Default'
  if (!isOneProcessor(choice)) {
    const count = Object.keys(choice).length
    return `Custom map (${count} ${count === 1 ? 'layer' : 'layers'})`
  }
  if ('weights' in choice && choice.weights !== undefined) return `${choice.processor}, weights ${choice.weights}`
  return 'slice_size' in choice ? `${choice.processor}, ${choice.slice_size} at a time` : choice.processor
}

/** What choosing an entry of the menu sets: a kind, or `weights ID` for Custom Diffusion weights in all layers. */
export function attentionOf(entry: string, now: AttnChoice | null): AttnChoice | null {
  const weights = /^weights (.+)$/.exec(entry)?.[1]
  if (weights !== undefined) return { processor: 'CustomDiffusionAttnProcessor2_0', weights }
  switch (entry) {
    case 'sliced':
      return attentionKind(now) === 'sliced' ? now : { processor: 'SlicedAttnProcessor', slice_size: 1 }
    case 'AttnProcessor':
    case 'AttnProcessor2_0':
      return { processor: entry }
    default:
      return null
  }
}

export const sliceSizeOf = (choice: AttnChoice | null): number | undefined =>
  choice !== null && isOneProcessor(choice) && 'slice_size' in choice ? choice.slice_size : undefined
