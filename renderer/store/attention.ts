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

/** In words; `layers` of a map are counted. */
export function attentionLabel(choice: AttnChoice | null): string {
  if (choice === null) return 'Default'
  if (!isOneProcessor(choice)) {
    const count = Object.keys(choice).length
    return `Custom map (${count} ${count === 1 ? 'layer' : 'layers'})`
  }
  return 'slice_size' in choice ? `${choice.processor}, ${choice.slice_size} at a time` : choice.processor
}

/** What choosing a kind sets. `custom` is what a recipe or a file brought. */
export function attentionOf(kind: AttentionKind, now: AttnChoice | null, custom: AttnChoice | null): AttnChoice | null {
  switch (kind) {
    case '':
      return null
    case 'sliced':
      return attentionKind(now) === 'sliced' ? now : { processor: 'SlicedAttnProcessor', slice_size: 1 }
    case 'AttnProcessor':
    case 'AttnProcessor2_0':
      return { processor: kind }
    case 'custom':
      return custom
  }
}

export const sliceSizeOf = (choice: AttnChoice | null): number | undefined =>
  choice !== null && isOneProcessor(choice) && 'slice_size' in choice ? choice.slice_size : undefined
