import { useState } from 'react'
import { chooseAttentionFile } from '#renderer/actions/attention.ts'
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

const kinds: readonly Choice<AttentionKind | 'file'>[] = [
  { value: '', label: 'Default', detail: 'What the engine takes for each layer' },
  { value: 'AttnProcessor', label: 'AttnProcessor', detail: 'In plain steps' },
  { value: 'AttnProcessor2_0', label: 'AttnProcessor2_0', detail: 'Fused' },
  { value: 'sliced', label: 'Sliced', detail: 'Some heads at a time: less memory, slower' },
]
const fromFile: Choice<AttentionKind | 'file'> = {
  value: 'file',
  label: 'From a file…',
  detail: 'A map by layer, as JSON',
}

/** How the UNet's attention is computed: never what it computes. A map by layer comes from a recipe or a file. */
export function AttentionRow({ problem }: { problem: string | undefined }) {
  const attention = useDraft((draft) => draft.attnProcessor)
  const kind = attentionKind(attention)
  const sliceSize = sliceSizeOf(attention)
  // Stays in the menu when another is tried. (The menu also falls back to its first value when the chosen one leaves its list.)
  const [custom, setCustom] = useState(kind === 'custom' ? attention : null)
  if (kind === 'custom' && attention !== custom) setCustom(attention)
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
        choices={[...kinds, ...(custom ? [{ value: 'custom' as const, label: attentionLabel(custom) }] : []), fromFile]}
        invalid={!!problem}
        onChange={(next) => {
          if (next === 'file') chooseAttentionFile()
          else editDraft({ attnProcessor: attentionOf(next, attention, custom) })
        }}
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
