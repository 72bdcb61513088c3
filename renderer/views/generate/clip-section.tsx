import { ArrowLeftRight } from 'lucide-react'
import { mostFrames } from '#app/contract/pipelines/text-to-video.ts'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { IconButton } from '#renderer/ui/button.tsx'
import { NumberInput } from '#renderer/ui/number.tsx'
import { Row, SliderRow } from '#renderer/ui/row.tsx'
import { Section } from '#renderer/ui/section.tsx'

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
      <SliderRow
        label="Frames"
        field="numFrames"
        value={numFrames}
        min={1}
        max={most}
        most={512}
        step={1}
        problem={problems.numFrames}
        onChange={(value) => editDraft({ numFrames: value })}
      />
      <SliderRow
        label="Frame rate"
        field="fps"
        value={fps}
        min={1}
        max={30}
        most={120}
        step={1}
        problem={problems.fps}
        onChange={(value) => editDraft({ fps: value })}
      />
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
    <Row
      label="Size"
      field={problems.height && !problems.width ? 'height' : 'width'}
      problem={problems.width ?? problems.height}
      note={
        native !== undefined &&
        (width !== native || height !== native) &&
        `The model was trained at ${native} × ${native}.`
      }
    >
      <NumberInput
        label="Width"
        value={width}
        min={step}
        max={4096}
        step={step}
        invalid={!!problems.width}
        onChange={(value) => editDraft({ width: value })}
      />
      <span className="muted" aria-hidden="true">
        ×
      </span>
      <NumberInput
        label="Height"
        value={height}
        min={step}
        max={4096}
        step={step}
        invalid={!!problems.height}
        onChange={(value) => editDraft({ height: value })}
      />
      <IconButton label="Swap width and height" onClick={() => editDraft({ width: height, height: width })}>
        <ArrowLeftRight size={14} aria-hidden="true" />
      </IconButton>
    </Row>
  )
}
