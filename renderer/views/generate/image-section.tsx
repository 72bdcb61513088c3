import { pipelineOf } from '#app/contract/pipelines.ts'
import { MediaPicker } from '#renderer/parts/media-picker.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { SegmentedRow } from '#renderer/ui/control-rows.tsx'
import { Section } from '#renderer/ui/section.tsx'
import { DraftSlider } from './draft-rows.tsx'

type SectionProps = { problems: FieldProblems }

/** The picture that a run begins with, and how much of it is left. */
export const ImageSection = (props: SectionProps) => <StartSection label="Picture" field="image" {...props} />

/** The clip that a run begins with, and how much of it is left. */
export const VideoSection = (props: SectionProps) => <StartSection label="Clip" field="video" {...props} />

function StartSection({ label, field, problems }: SectionProps & { label: string; field: 'image' | 'video' }) {
  const { pipeline, resizeMode, ...draft } = useDraft((draft) => draft)
  // Without it such a run begins with noise alone, of which nothing is kept.
  const isLeftOut = draft[field] === null && pipelineOf(pipeline).media?.[field]?.optional === true
  return (
    <Section title="Begin with">
      <MediaPicker
        label={label}
        field={field}
        takes={field === 'image' ? 'still' : 'clip'}
        value={draft[field]}
        problem={problems[field]}
        onChange={(next) => editDraft({ [field]: next })}
      />
      {!isLeftOut && (
        <>
          <DraftSlider
            label="Strength"
            field="strength"
            min={0}
            max={1}
            step={0.05}
            digits={2}
            note="How much is made anew: at 1 nothing is left of it."
            problems={problems}
          />
          <SegmentedRow
            label="Fit"
            field="resizeMode"
            problem={problems.resizeMode}
            value={resizeMode}
            choices={[
              { value: 'crop', label: 'Cut to size' },
              { value: 'default', label: 'Stretch' },
            ]}
            onChange={(next) => editDraft({ resizeMode: next })}
          />
        </>
      )}
    </Section>
  )
}
