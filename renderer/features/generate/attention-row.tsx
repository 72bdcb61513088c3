import {
  attentionKind,
  attentionLabel,
  attentionOf,
  sliceSizeOf,
  type AttentionKind,
} from '#renderer/store/attention.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { NumberInput } from '#renderer/ui/number.tsx'
import { Row } from '#renderer/ui/row.tsx'
import { Select, type Choice } from '#renderer/ui/select.tsx'

const kinds: readonly Choice<AttentionKind>[] = [
  { value: '', label: 'Default', detail: 'What the engine takes for each layer' },
  { value: 'AttnProcessor', label: 'AttnProcessor', detail: 'In plain steps' },
  { value: 'AttnProcessor2_0', label: 'AttnProcessor2_0', detail: 'Fused' },
  { value: 'sliced', label: 'Sliced', detail: 'Some heads at a time: less memory, slower' },
]

/** How the UNet's attention is computed: never what it computes. A map by layer comes from a recipe and is kept until replaced. */
export function AttentionRow({ problem }: { problem: string | undefined }) {
  const attention = useDraft((draft) => draft.attnProcessor)
  const kind = attentionKind(attention)
  const sliceSize = sliceSizeOf(attention)
  const known = kinds.some(({ value }) => value === kind)
  return (
    <Row
      label="Attention"
      field="attnProcessor"
      problem={problem}
      note={kind === 'sliced' && 'Heads at a time: less memory, the same clip.'}
    >
      <Select
        label="Attention processor"
        value={kind}
        choices={known ? kinds : [...kinds, { value: kind, label: attentionLabel(attention) }]}
        invalid={!!problem}
        onChange={(next) => editDraft({ attnProcessor: attentionOf(next, attention) })}
      />
      {kind === 'sliced' && sliceSize !== undefined && (
        <NumberInput
          label="Slice size"
          value={sliceSize}
          min={1}
          max={4096}
          width={58}
          onChange={(size) => editDraft({ attnProcessor: { processor: 'SlicedAttnProcessor', slice_size: size } })}
        />
      )}
    </Row>
  )
}
