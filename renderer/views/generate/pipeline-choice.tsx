import { pipelines } from '#app/contract/pipelines.ts'
import { withPipeline } from '#renderer/store/choose-model.ts'
import { draftStore, makers, useDraft } from '#renderer/store/draft.ts'
import { studioStore } from '#renderer/store/studio.ts'
import { Segmented } from '#renderer/ui/segmented.tsx'

/** What the form is for. Where there is one pipeline alone there is nothing to choose. */
export function PipelineChoice() {
  const pipeline = useDraft((draft) => draft.pipeline)
  if (makers.length < 2) return null
  return (
    <div className="section form-pipeline">
      <Segmented
        label="Pipeline"
        value={pipeline}
        choices={makers.map((name) => ({ value: name, label: pipelines[name].title }))}
        onChange={(next) => draftStore.setState((draft) => withPipeline(draft, next, studioStore.getState().models))}
      />
    </div>
  )
}
