import type { AttnProcessor, AttnProcessorMap } from '#app/contract/attn-processors.ts'
import { menuKey, menuOf } from '#renderer/store/processor-map.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { NumberInput } from '#renderer/ui/number.tsx'
import { Select } from '#renderer/ui/select.tsx'

type ProcessorChoiceProps = {
  label: string
  /** Those that it sets, one or many. */
  layers: readonly string[]
  map: AttnProcessorMap
  defaults: AttnProcessorMap
  /** null: each layer's default. */
  onChange: (layers: readonly string[], processor: AttnProcessor | null) => void
}

const byDefault = 'default'

/** A menu of processors for some layers, with the number of heads at a time where they are sliced. */
export function ProcessorChoice({ label, layers, map, defaults, onChange }: ProcessorChoiceProps) {
  const models = useStudio((state) => state.models)
  const [first] = layers
  if (first === undefined) return null
  const menu = menuOf(defaults[first]!, models)
  const processor = map[first]!
  const key = menuKey(processor)
  const isOne = layers.every((path) => menuKey(map[path]!) === key)
  const size = 'slice_size' in processor ? processor.slice_size : undefined
  const oneSize = layers.every((path) => {
    const one = map[path]!
    return 'slice_size' in one && one.slice_size === size
  })
  const choices = [
    ...(layers.length > 1 ? [{ value: byDefault, label: 'Default' }] : []),
    ...menu.map((entry) => ({ value: entry.key, label: entry.label, detail: entry.detail })),
    // What a file or a recipe brought, such as XFormersAttnProcessor.
    ...(isOne && !menu.some((entry) => entry.key === key) ? [{ value: key, label: key }] : []),
  ]
  return (
    <div className="processor-choice">
      <Select
        label={label}
        value={isOne ? key : null}
        choices={choices}
        placeholder="Mixed"
        onChange={(next) => {
          if (next === null || (isOne && next === key)) return
          onChange(
            layers,
            next === byDefault ? null : (menu.find((entry) => entry.key === next)?.processor ?? processor),
          )
        }}
      />
      {isOne && oneSize && size !== undefined && (
        <NumberInput
          label={`${label}, slice size`}
          value={size}
          min={1}
          max={4096}
          width={46}
          onChange={(next) => onChange(layers, { ...processor, slice_size: next } as AttnProcessor)}
        />
      )}
    </div>
  )
}
