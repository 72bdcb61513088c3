import { pipelineOf } from '#app/contract/pipelines.ts'
import { adaptersFor } from '#app/contract/pipelines/text-to-video.ts'
import { CommandButton, useCommands } from '#renderer/parts/commands.tsx'
import { demoNote } from '#renderer/parts/demo-note.ts'
import { modelChoice } from '#renderer/parts/model-choice.tsx'
import { draftStore, useDraft, withModel, withWeights } from '#renderer/store/draft.ts'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { modelsFor } from '#renderer/store/models.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { SelectRow } from '#renderer/ui/control-rows.tsx'
import { Row } from '#renderer/ui/row.tsx'
import { Section } from '#renderer/ui/section.tsx'
import { LoraRows } from './lora-rows.tsx'
import { PartRows } from './part-rows.tsx'
import { PresetRow } from './preset-row.tsx'

export function ModelSection({ problems }: { problems: FieldProblems }) {
  const models = useStudio((state) => state.models)
  const known = useStudio((state) => state.modelsKnown)
  const pipeline = useDraft((draft) => draft.pipeline)
  const model = useDraft((draft) => draft.model)
  const motionAdapter = useDraft((draft) => draft.motionAdapter)
  const entry = models.find((candidate) => candidate.id === model)
  const choices = modelsFor(models, pipelineOf(pipeline).models.model!.kind)
  const moves = 'motionAdapter' in pipelineOf(pipeline).models
  const { adapters } = entry ? adaptersFor(entry, models) : { adapters: [] }
  const { folders } = useCommands()

  return (
    <Section title="Model" action={<CommandButton command="folders" variant="ghost" size="small" />}>
      <SelectRow
        label="Checkpoint"
        field="model"
        problem={problems.model}
        name="Model"
        value={model}
        choices={choices.map(modelChoice)}
        placeholder={known ? 'None found' : 'Looking for models'}
        menuNote={demoNote}
        onChange={(id) => {
          const next = models.find((candidate) => candidate.id === id)
          if (next) draftStore.setState((draft) => withModel(draft, next, models))
        }}
      />
      {moves && entry?.needsMotionAdapter !== false && (
        <SelectRow
          label="Motion"
          field="motionAdapter"
          problem={problems.motionAdapter}
          name="Motion adapter"
          value={motionAdapter}
          choices={adapters.map(modelChoice)}
          placeholder="None fits"
          disabled={adapters.length === 0}
          onChange={(id) => draftStore.setState((draft) => withWeights(draft, { motionAdapter: id }, models))}
        />
      )}
      {moves && entry?.needsMotionAdapter === false && (
        <Row label="Motion">
          <span className="muted">Inside this model</span>
        </Row>
      )}
      <PartRows problems={problems} />
      {'loras' in pipelineOf(pipeline).models && <LoraRows problem={problems.loras} />}
      <PresetRow />
      {entry?.demo && (
        <p className="demo-note">
          A demo: it knows moving shapes only.{' '}
          <button type="button" className="link" onClick={folders.perform}>
            Use real models
          </button>
        </p>
      )}
    </Section>
  )
}
