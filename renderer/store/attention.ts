import { attnProcessorTable, offered, type AttnProcessor } from '#app/contract/attn-processor-table.ts'
import { isOneProcessor, type AttnChoice } from '#app/contract/attn-processors.ts'

const menu = offered(false)

/** An entry of the menu for all layers: a processor's name, 'custom' for maps and all others; '' is the default. */
export function attentionKind(choice: AttnChoice | null): string {
  if (choice === null) return ''
  return menu.find(({ processor }) => processor === choice.processor)?.processor ?? 'custom'
}

export const menuWords = ({ processor }: AttnProcessor): { label: string; detail: string } => ({
  label: attnProcessorTable[processor].menu ?? processor,
  detail: processor,
})

export const attentionMenu: readonly { value: string; label: string; detail: string }[] = [
  { value: '', label: 'Default', detail: 'What the engine takes for each layer' },
  ...menu.map((one) => ({ value: one.processor, ...menuWords(one) })),
]

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

/** What an entry of the menu sets: a processor by its name, or `weights ID` for Custom Diffusion in all layers. */
export function attentionOf(entry: string, now: AttnChoice | null): AttnChoice | null {
  const weights = /^weights (.+)$/.exec(entry)?.[1]
  if (weights !== undefined) return { processor: 'CustomDiffusionAttnProcessor2_0', weights }
  return attentionKind(now) === entry ? now : (menu.find(({ processor }) => processor === entry) ?? null)
}

export const sliceSizeOf = (choice: AttnChoice | null): number | undefined =>
  choice !== null && isOneProcessor(choice) && 'slice_size' in choice ? choice.slice_size : undefined
