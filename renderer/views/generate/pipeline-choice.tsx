import { namesMaking, pipelines } from '#app/contract/pipelines.ts'
import { makesTitles } from '#app/contract/pipelines/pipeline.ts'
import { withPipeline } from '#renderer/store/choose-model.ts'
import { draftStore, made, useDraft, type Maker } from '#renderer/store/draft.ts'
import { studioStore } from '#renderer/store/studio.ts'
import { Row } from '#renderer/ui/row.tsx'
import { Segmented } from '#renderer/ui/segmented.tsx'
import { Select } from '#renderer/ui/select.tsx'

/** What the form is for: first what one wants to make, then by which pipeline where there are several. */
export function PipelineChoice() {
  const pipeline = useDraft((draft) => draft.pipeline)
  const { makes } = pipelines[pipeline]
  const ways = namesMaking(makes)
  return (
    <div className="section form-pipeline">
      <Segmented
        label="Make"
        value={makes}
        choices={made.map((one) => ({ value: one, label: makesTitles[one] }))}
        onChange={(next) => turnTo(namesMaking(next)[0]!)}
      />
      {ways.length > 1 && (
        <Row label="How">
          <Select
            label="Pipeline"
            value={pipeline}
            choices={ways.map((name) => ({ value: name, label: pipelines[name].title }))}
            onChange={turnTo}
          />
        </Row>
      )}
    </div>
  )
}

const turnTo = (pipeline: Maker): void =>
  draftStore.setState((draft) => withPipeline(draft, pipeline, studioStore.getState().models))
