import { useState } from 'react'
import { modelKinds } from '#app/contract/models.ts'
import { namesFor, pipelineOf, pipelines, type PipelineName } from '#app/contract/pipelines.ts'
import { aims, type Aim } from '#app/contract/pipelines/pipeline.ts'
import { canRun, withPipeline } from '#renderer/store/choose-model.ts'
import { draftStore, makers, useDraft, type Maker } from '#renderer/store/draft.ts'
import { studioStore, useStudio } from '#renderer/store/studio.ts'
import { goTo } from '#renderer/store/view.ts'
import { Row } from '#renderer/ui/row.tsx'
import { Segmented } from '#renderer/ui/segmented.tsx'
import { Select } from '#renderer/ui/select.tsx'

const aimChoices = Object.entries(aims).map(([value, label]) => ({ value: value as Aim, label }))
const isMaker = (name: PipelineName): name is Maker => makers.some((maker) => maker === name)
const waysTo = (aim: Aim): Maker[] => namesFor(aim).filter(isMaker)

/** What the form is for: first what one wants, then by which pipeline where there are several. */
export function PipelineChoice() {
  const pipeline = useDraft((draft) => draft.pipeline)
  const models = useStudio((state) => state.models)
  // Some pipelines are for more than one thing.
  const [chosen, setChosen] = useState<Aim>()
  const own = pipelines[pipeline].aims
  const aim = own.find((one) => one === chosen) ?? own[0]
  const ways = waysTo(aim)
  const choose = (next: Aim): void => {
    const [first] = waysTo(next)
    setChosen(next)
    // What reads a clip has a view of its own.
    if (!first) goTo('classify')
    else if (!waysTo(next).includes(pipeline)) turnTo(waysTo(next).find((name) => canRun(name, models)) ?? first)
  }
  return (
    <div className="section form-pipeline">
      <Segmented label="What to do" value={aim} choices={aimChoices} onChange={choose} />
      {ways.length > 1 && (
        <Row label="How">
          <Select
            label="Pipeline"
            value={pipeline}
            choices={ways.map((name) => ({
              value: name,
              label: pipelines[name].title,
              detail: canRun(name, models)
                ? undefined
                : `No ${modelKinds[pipelineOf(name).models.model!.kind].what} yet`,
            }))}
            onChange={turnTo}
          />
        </Row>
      )}
    </div>
  )
}

const turnTo = (pipeline: Maker): void =>
  draftStore.setState((draft) => withPipeline(draft, pipeline, studioStore.getState().models))
