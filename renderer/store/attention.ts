import { attnProcessorTable, offered, type AttnProcessor } from '#app/contract/attn-processor-table.ts'
import { isOneProcessor, type AttnChoice } from '#app/contract/attn-processors.ts'

const menu = offered(false)

/** The same text for processors that are the same. */
export const spelled = (one: AttnProcessor): string => JSON.stringify(Object.entries(one).sort())

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
    const layers = Object.values(choice)
    const alike = new Map<string, number>()
    for (const one of layers) alike.set(spelled(one), (alike.get(spelled(one)) ?? 0) + 1)
    const others = layers.length - Math.max(...alike.values())
    // Which layers have their default is known where the model is; which of them are unlike the rest is seen here.
    return others === 0
      ? `Custom map (${layers.length} ${layers.length === 1 ? 'layer' : 'layers'})`
      : `Custom map (${others} of ${layers.length} layers ${others === 1 ? 'differs' : 'differ'})`
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
