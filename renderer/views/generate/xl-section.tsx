import { X } from 'lucide-react'
import type { Fields } from '#app/contract/pipelines/fields.ts'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { Button, IconButton } from '#renderer/ui/button.tsx'
import { NumberInput } from '#renderer/ui/number.tsx'
import { Row } from '#renderer/ui/row.tsx'
import { FoldedSection } from '#renderer/ui/section.tsx'
import { PromptText } from './prompt-text.tsx'

type Told = Fields['originalSize']
type Crop = Fields['cropTopLeft']

const most = 65_536

/** What Stable Diffusion XL is told beside the prompt. */
export function XlSection({ problems }: { problems: FieldProblems }) {
  const draft = useDraft((state) => state)
  const size = { width: draft.width, height: draft.height }
  const told = [draft.prompt2, draft.negativePrompt2, draft.originalSize, draft.targetSize].filter(Boolean).length
  return (
    <FoldedSection title="XL" summary={told > 0 ? `${told} set` : 'Second prompt, sizes and crops'}>
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
      <ToldSize
        label="Original"
        field="originalSize"
        value={draft.originalSize}
        start={size}
        problem={problems.originalSize}
      />
      <CropRow label="Cut off" field="cropTopLeft" value={draft.cropTopLeft} problem={problems.cropTopLeft} />
      <ToldSize
        label="Made for"
        field="targetSize"
        value={draft.targetSize}
        start={size}
        problem={problems.targetSize}
      />
      <ToldSize
        label="Not from"
        field="negativeOriginalSize"
        value={draft.negativeOriginalSize}
        start={size}
        problem={problems.negativeOriginalSize}
      />
      <CropRow
        label="Not cut"
        field="negativeCropTopLeft"
        value={draft.negativeCropTopLeft}
        problem={problems.negativeCropTopLeft}
      />
      <ToldSize
        label="Not for"
        field="negativeTargetSize"
        value={draft.negativeTargetSize}
        start={size}
        problem={problems.negativeTargetSize}
      />
    </FoldedSection>
  )
}

const texts = [
  { field: 'prompt2', label: 'Second prompt', placeholder: 'As the prompt' },
  { field: 'negativePrompt2', label: 'Second negative prompt', placeholder: 'As the negative prompt' },
] as const

type ToldSizeProps = {
  label: string
  field: 'originalSize' | 'targetSize' | 'negativeOriginalSize' | 'negativeTargetSize'
  value: Told
  start: NonNullable<Told>
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
  const side = (name: 'width' | 'height') => (
    <NumberInput
      label={`${label} ${name}`}
      value={value[name]}
      min={1}
      max={most}
      invalid={!!problem}
      onChange={(next) => editDraft({ [field]: { ...value, [name]: next } })}
    />
  )
  return (
    <Row label={label} field={field} problem={problem}>
      {side('width')}
      <span className="muted" aria-hidden="true">
        ×
      </span>
      {side('height')}
      <IconButton label={`${label}: its own size`} onClick={() => editDraft({ [field]: null })}>
        <X size={14} aria-hidden="true" />
      </IconButton>
    </Row>
  )
}

type CropRowProps = {
  label: string
  field: 'cropTopLeft' | 'negativeCropTopLeft'
  value: Crop
  problem: string | undefined
}

function CropRow({ label, field, value, problem }: CropRowProps) {
  const side = (name: 'left' | 'top') => (
    <NumberInput
      label={`${label} ${name}`}
      value={value[name]}
      min={0}
      max={most}
      invalid={!!problem}
      onChange={(next) => editDraft({ [field]: { ...value, [name]: next } })}
    />
  )
  return (
    <Row label={label} field={field} problem={problem}>
      {side('left')}
      {side('top')}
    </Row>
  )
}
