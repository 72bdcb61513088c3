import { pipelineOf } from '#app/contract/pipelines.ts'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { useDraft } from '#renderer/store/draft.ts'
import { Section } from '#renderer/ui/section.tsx'
import { DraftModel, DraftSlider } from './draft-rows.tsx'

/** The model that makes an embedding, how it samples, and the steps that make a small picture larger. */
export function PriorSection({ problems }: { problems: FieldProblems }) {
  const { settings, models: roles } = useDraft(({ pipeline }) => pipelineOf(pipeline))
  return (
    <Section title="Prior">
      {'prior' in roles && (
        <DraftModel
          label="Checkpoint"
          name="Prior"
          field="prior"
          kind="prior"
          none={{ label: 'None', detail: 'Embeddings that were kept are all that is used' }}
          problems={problems}
        />
      )}
      <DraftSlider
        label="Steps"
        name="Steps of the prior"
        field="priorSteps"
        min={2}
        max={60}
        most={1000}
        step={1}
        problems={problems}
      />
      <DraftSlider
        label="Guidance"
        name="Guidance of the prior"
        field="priorGuidanceScale"
        min={1}
        max={20}
        most={100}
        step={0.5}
        digits={1}
        problems={problems}
      />
      {'superResSteps' in settings.shape && (
        <DraftSlider
          label="Enlarging"
          name="Steps that make it larger"
          field="superResSteps"
          min={2}
          max={30}
          most={1000}
          step={1}
          problems={problems}
        />
      )}
    </Section>
  )
}
