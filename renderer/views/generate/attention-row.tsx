import { useState } from 'react'
import { chooseAttentionFile, setAttention } from '#renderer/actions/attention.ts'
import { CommandIconButton } from '#renderer/parts/commands.tsx'
import { attentionKind, attentionLabel, attentionMenu, attentionOf, sliceSizeOf } from '#renderer/store/attention.ts'
import { useDraft } from '#renderer/store/draft.ts'
import { isUsable, modelsFor } from '#renderer/store/models.ts'
import { sameChoice } from '#renderer/store/processor-map.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { NumberInput } from '#renderer/ui/number.tsx'
import { Row } from '#renderer/ui/row.tsx'
import { Select, type Choice } from '#renderer/ui/select.tsx'

const fromFile = 'file'
const mapKey = (name: string): string => `map ${name}`
const weightsKey = (id: string): string => `weights ${id}`

/**
 * How the UNet's attention is computed: one way for all layers, or a map that was saved, edited, or read from a file.
 */
export function AttentionRow({ problem }: { problem: string | undefined }) {
  const attention = useDraft((draft) => draft.attnProcessor)
  const fuseQkv = useDraft((draft) => draft.fuseQkv)
  const maps = useStudio((state) => state.processorMaps)
  const models = useStudio((state) => state.models)
  const trained = modelsFor(models, 'custom-diffusion').filter(isUsable)
  const kind = attentionKind(attention)
  const sliceSize = sliceSizeOf(attention)
  const isSliced = kind !== 'custom' && sliceSize !== undefined
  const saved = kind === 'custom' ? maps.find(({ processors }) => sameChoice(processors, attention)) : undefined
  const weights = trained.find(({ id }) => sameChoice(attention, attentionOf(weightsKey(id), attention)))
  const value = saved ? mapKey(saved.name) : weights ? weightsKey(weights.id) : kind
  // Stays in the menu when another is tried. (The menu also falls back to its first value when the chosen one leaves
  // its list.)
  const [custom, setCustom] = useState(value === 'custom' ? attention : null)
  if (value === 'custom' && attention !== custom) setCustom(attention)
  const choices: Choice<string>[] = [
    ...attentionMenu,
    ...trained.map(({ id, name }) => ({ value: weightsKey(id), label: name, detail: 'Custom Diffusion weights' })),
    ...maps.map(({ name, processors }) => ({ value: mapKey(name), label: name, detail: attentionLabel(processors) })),
    ...(custom ? [{ value: 'custom', label: attentionLabel(custom) }] : []),
    { value: fromFile, label: 'From a file…', detail: 'A map by layer, as JSON' },
  ]
  const choose = (next: string): void => {
    const map = maps.find(({ name }) => mapKey(name) === next)
    if (next === fromFile) chooseAttentionFile()
    else if (map) setAttention(map.processors)
    else setAttention(next === 'custom' ? custom : attentionOf(next, attention))
  }
  return (
    <Row
      label="Attention"
      field="attnProcessor"
      problem={problem}
      note={
        fuseQkv
          ? 'Fused projections take its place.'
          : isSliced && 'Heads at a time: less memory, slower, the same clip.'
      }
    >
      <Select label="Attention processor" value={value} choices={choices} invalid={!!problem} onChange={choose} />
      {isSliced && (
        <NumberInput
          label="Slice size"
          value={sliceSize}
          min={1}
          max={4096}
          width={58}
          onChange={(size) => setAttention({ processor: 'SlicedAttnProcessor', slice_size: size })}
        />
      )}
      <CommandIconButton command="attention" iconSize={14} />
    </Row>
  )
}
