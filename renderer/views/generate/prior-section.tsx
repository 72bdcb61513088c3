import { pipelineOf } from '#app/contract/pipelines.ts'
import { modelChoice } from '#renderer/parts/model-choice.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { modelsFor } from '#renderer/store/models.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { Row, SliderRow } from '#renderer/ui/row.tsx'
import { Section } from '#renderer/ui/section.tsx'
import { Select, type Choice } from '#renderer/ui/select.tsx'

/** The model that makes an embedding, how it samples, and the steps that make a small picture larger. */
export function PriorSection({ problems }: { problems: FieldProblems }) {
  const { pipeline, prior, priorSteps, priorGuidanceScale, superResSteps } = useDraft((draft) => draft)
  const models = useStudio((state) => state.models)
  const { settings, models: roles } = pipelineOf(pipeline)
  const choices: readonly Choice<string | null>[] = [
    { value: null, label: 'None', detail: 'Embeddings that were kept are all that is used' },
    ...modelsFor(models, 'prior').map(modelChoice),
  ]
  return (
    <Section title="Prior">
      {'prior' in roles && (
        <Row label="Checkpoint" field="prior" problem={problems.prior}>
          <Select
            label="Prior"
            value={prior}
            choices={choices}
            invalid={!!problems.prior}
            onChange={(id) => editDraft({ prior: id })}
          />
        </Row>
      )}
      <SliderRow
        label="Steps"
        name="Steps of the prior"
        field="priorSteps"
        value={priorSteps}
        min={2}
        max={60}
        most={1000}
        step={1}
        problem={problems.priorSteps}
        onChange={(value) => editDraft({ priorSteps: value })}
      />
      <SliderRow
        label="Guidance"
        name="Guidance of the prior"
        field="priorGuidanceScale"
        value={priorGuidanceScale}
        min={1}
        max={20}
        most={100}
        step={0.5}
        digits={1}
        problem={problems.priorGuidanceScale}
        onChange={(value) => editDraft({ priorGuidanceScale: value })}
      />
      {'superResSteps' in settings.shape && (
        <SliderRow
          label="Enlarging"
          name="Steps that make it larger"
          field="superResSteps"
          value={superResSteps}
          min={2}
          max={30}
          most={1000}
          step={1}
          problem={problems.superResSteps}
          onChange={(value) => editDraft({ superResSteps: value })}
        />
      )}
    </Section>
  )
}
