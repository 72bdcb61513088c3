import { X } from 'lucide-react'
import type { Fields } from '#app/contract/pipelines/fields.ts'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { Button, IconButton } from '#renderer/ui/button.tsx'
import { PairRow } from '#renderer/ui/control-rows.tsx'
import { Row } from '#renderer/ui/row.tsx'
import { FoldedSection } from '#renderer/ui/section.tsx'
import { PromptText } from './prompt-text.tsx'

const most = 65_536

/** What Stable Diffusion XL is told beside the prompt. */
export function XlSection({ problems }: { problems: FieldProblems }) {
  const draft = useDraft((state) => state)
  const size = { width: draft.width, height: draft.height }
  const set = [draft.prompt2, draft.negativePrompt2, draft.originalSize, draft.targetSize].filter(Boolean).length
  return (
    <FoldedSection title="XL" summary={set > 0 ? `${set} set` : 'Second prompt, sizes and crops'}>
      {texts.map(({ field, label, placeholder }) => (
        <PromptText
          key={field}
          label={label}
          field={field}
          problem={problems[field]}
          value={draft[field]}
          rows={1}
          placeholder={placeholder}
          onChange={(value) => editDraft({ [field]: value })}
        />
      ))}
      {told.map(({ field, label }) =>
        field === 'cropTopLeft' || field === 'negativeCropTopLeft' ? (
          <PairRow
            key={field}
            label={label}
            names={{ left: `${label} left`, top: `${label} top` }}
            field={field}
            problem={problems[field]}
            value={draft[field]}
            min={0}
            max={most}
            onChange={(value) => editDraft({ [field]: value })}
          />
        ) : (
          <ToldSize
            key={field}
            label={label}
            field={field}
            value={draft[field]}
            start={size}
            problem={problems[field]}
          />
        ),
      )}
    </FoldedSection>
  )
}

const texts = [
  { field: 'prompt2', label: 'Second prompt', placeholder: 'As the prompt' },
  { field: 'negativePrompt2', label: 'Second negative prompt', placeholder: 'As the negative prompt' },
] as const

/** Sizes and crops, those that it is led away from last. */
const told = [
  { field: 'originalSize', label: 'Original' },
  { field: 'cropTopLeft', label: 'Cut off' },
  { field: 'targetSize', label: 'Made for' },
  { field: 'negativeOriginalSize', label: 'Not from' },
  { field: 'negativeCropTopLeft', label: 'Not cut' },
  { field: 'negativeTargetSize', label: 'Not for' },
] as const

type ToldSizeProps = {
  label: string
  field: 'originalSize' | 'targetSize' | 'negativeOriginalSize' | 'negativeTargetSize'
  value: Fields['originalSize']
  start: NonNullable<Fields['originalSize']>
  problem: string | undefined
}

/** A size, or none: then the model is told that of the picture. */
function ToldSize({ label, field, value, start, problem }: ToldSizeProps) {
  if (!value)
    return (
      <Row label={label} field={field} problem={problem}>
        <Button size="small" aria-label={`Set ${label}`} onClick={() => editDraft({ [field]: start })}>
          Its own size
        </Button>
      </Row>
    )
  return (
    <PairRow
      label={label}
      names={{ width: `${label} width`, height: `${label} height` }}
      sign="×"
      field={field}
      problem={problem}
      value={value}
      min={1}
      max={most}
      onChange={(next) => editDraft({ [field]: next })}
    >
      <IconButton label={`${label}: its own size`} onClick={() => editDraft({ [field]: null })}>
        <X size={14} aria-hidden="true" />
      </IconButton>
    </PairRow>
  )
}
