import { ArrowLeftRight } from 'lucide-react'
import { mostFrames } from '#app/contract/pipelines/text-to-video.ts'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { IconButton } from '#renderer/ui/button.tsx'
import { PairRow } from '#renderer/ui/control-rows.tsx'
import { Section } from '#renderer/ui/section.tsx'
import { DraftSlider } from './draft-rows.tsx'

/** Size and length of a clip. */
export function ClipSection({ problems }: { problems: FieldProblems }) {
  const { numFrames, fps, model, motionAdapter, longClip } = useDraft((draft) => draft)
  const models = useStudio((state) => state.models)
  const entry = models.find((candidate) => candidate.id === model)
  const adapter = models.find((candidate) => candidate.id === motionAdapter)
  const most = longClip ? 128 : ((entry && mostFrames(entry, adapter)) ?? 32)
  return (
    <Section title="Clip" action={<span className="muted">{(numFrames / fps).toFixed(1)} s long</span>}>
      <SizeRow problems={problems} />
      <DraftSlider label="Frames" field="numFrames" min={1} max={most} most={512} step={1} problems={problems} />
      <DraftSlider label="Frame rate" field="fps" min={1} max={30} most={120} step={1} problems={problems} />
    </Section>
  )
}

/** Size of a still. */
export function PictureSection({ problems }: { problems: FieldProblems }) {
  return (
    <Section title="Picture">
      <SizeRow problems={problems} />
    </Section>
  )
}

function SizeRow({ problems }: { problems: FieldProblems }) {
  const { width, height, model } = useDraft((draft) => draft)
  const entry = useStudio((state) => state.models.find((candidate) => candidate.id === model))
  const step = entry?.sizeMultiple ?? 8
  const native = entry?.nativeSize
  return (
    <PairRow
      label="Size"
      names={{ width: 'Width', height: 'Height' }}
      sign="×"
      field={problems.height && !problems.width ? 'height' : 'width'}
      problem={problems.width ?? problems.height}
      note={
        native !== undefined &&
        (width !== native || height !== native) &&
        `The model was trained at ${native} × ${native}.`
      }
      value={{ width, height }}
      min={step}
      max={4096}
      step={step}
      onChange={editDraft}
    >
      <IconButton label="Swap width and height" onClick={() => editDraft({ width: height, height: width })}>
        <ArrowLeftRight size={14} aria-hidden="true" />
      </IconButton>
    </PairRow>
  )
}
