import type { Job } from '#app/contract/jobs.ts'
import { pipelineOf } from '#app/contract/pipelines.ts'
import { allFields } from '#app/contract/pipelines/fields.ts'
import type { Recipe } from '#app/contract/recipe.ts'
import { useStudio, type LiveMark } from '#renderer/store/studio.ts'
import { plural, timeLeft } from '#renderer/ui/format.ts'

/** Above this many steps single threads would be too thin to see. */
const mostThreads = 150

/** A run as a weave: one thread for each step, and a knot where FreeU or the scale of a LoRA was changed. */
export function StepRibbon({ job }: { job: Job }) {
  const marks = useStudio((state) => state.liveMarks[job.id])
  const { step, totalSteps, progress, stage } = job
  return (
    <div className="ribbon">
      <div className="ribbon-line">
        <span>{stage}</span>
        <span className="muted">{job.secondsLeft !== undefined && timeLeft(job.secondsLeft)}</span>
      </div>
      <div
        className="ribbon-threads"
        role="progressbar"
        aria-label="Progress"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(progress * 100)}
        aria-valuetext={stage}
      >
        <Threads count={totalSteps} done={step} current={job.status === 'running' ? step : -1} progress={progress} />
        <Knots marks={marks ?? []} count={totalSteps} />
      </div>
    </div>
  )
}

/** The same for a clip that is finished, with the steps that were run: from a picture or a clip, a part of them. */
export function FinishedRibbon({ recipe: { pipeline, settings } }: { recipe: Recipe }) {
  const { guidanceScale, freeu, freeuChanges, loraChanges } = allFields(settings)
  const steps = pipelineOf(pipeline).stepsOf(settings)
  const at = (changes: readonly { step: number }[], what: LiveMark['what']): LiveMark[] =>
    changes.map(({ step }) => ({ step: step + 1, what }))
  const [freeuMarks, loraMarks] = [at(freeuChanges, 'FreeU'), at(loraChanges, 'LoRA scales')]
  const facts = [
    plural(steps, 'step'),
    `guidance ${guidanceScale}`,
    changesIn(freeuMarks) ?? (freeu && 'FreeU'),
    changesIn(loraMarks),
  ]
  return (
    <div className="ribbon" data-finished="">
      <div className="ribbon-line">
        <span>{facts.filter(Boolean).join(', ')}</span>
        <span className="muted">seed {settings.seed}</span>
      </div>
      <div className="ribbon-threads" aria-hidden="true">
        <Threads count={steps} done={steps} current={-1} progress={1} />
        <Knots marks={[...freeuMarks, ...loraMarks]} count={steps} />
      </div>
    </div>
  )
}

function changesIn(marks: readonly LiveMark[]): string | undefined {
  const steps = marks.map((mark) => mark.step)
  return marks[0] && `${marks[0].what} changed at ${steps.length === 1 ? 'step' : 'steps'} ${steps.join(', ')}`
}

type ThreadsProps = { count: number; done: number; current: number; progress: number }

function Threads({ count, done, current, progress }: ThreadsProps) {
  if (count === 0 || count > mostThreads) return <b style={{ width: `${progress * 100}%` }} />
  return Array.from({ length: count }, (_, i) => (
    <i key={i} data-state={i < done ? 'done' : i === current ? 'now' : undefined} />
  ))
}

function Knots({ marks, count }: { marks: readonly LiveMark[]; count: number }) {
  return marks
    .filter(({ step }) => step <= count)
    .map(({ step, what }) => (
      <em
        key={`${what} ${step}`}
        title={`${what} changed from step ${step} on`}
        style={{ left: `${((step - 1) / count) * 100}%` }}
      />
    ))
}
