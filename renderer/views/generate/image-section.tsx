import { MediaPicker } from '#renderer/parts/media-picker.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { Row, SliderRow } from '#renderer/ui/row.tsx'
import { Section } from '#renderer/ui/section.tsx'
import { Segmented } from '#renderer/ui/segmented.tsx'

/** The picture that a run begins with, and how much of it is left. */
export function ImageSection({ problems }: { problems: FieldProblems }) {
  const image = useDraft((draft) => draft.image)
  return (
    <Section title="Begin with">
      <MediaPicker
        label="Picture"
        field="image"
        takes="still"
        value={image}
        problem={problems.image}
        onChange={(next) => editDraft({ image: next })}
      />
      <StartRows problems={problems} />
    </Section>
  )
}

/** The clip that a run begins with, and how much of it is left. */
export function VideoSection({ problems }: { problems: FieldProblems }) {
  const video = useDraft((draft) => draft.video)
  return (
    <Section title="Begin with">
      <MediaPicker
        label="Clip"
        field="video"
        takes="clip"
        value={video}
        problem={problems.video}
        onChange={(next) => editDraft({ video: next })}
      />
      <StartRows problems={problems} />
    </Section>
  )
}

function StartRows({ problems }: { problems: FieldProblems }) {
  const { resizeMode, strength } = useDraft((draft) => draft)
  return (
    <>
      <SliderRow
        label="Strength"
        field="strength"
        value={strength}
        min={0}
        max={1}
        step={0.05}
        digits={2}
        problem={problems.strength}
        note="How much is made anew: at 1 nothing is left of it."
        onChange={(value) => editDraft({ strength: value })}
      />
      <Row label="Fit" field="resizeMode" problem={problems.resizeMode}>
        <Segmented
          label="Fit"
          value={resizeMode}
          choices={[
            { value: 'crop', label: 'Cut to size' },
            { value: 'default', label: 'Stretch' },
          ]}
          onChange={(next) => editDraft({ resizeMode: next })}
        />
      </Row>
    </>
  )
}
