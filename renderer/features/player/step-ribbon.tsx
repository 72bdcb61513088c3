import type { Job } from '#app/contract/jobs.ts'
import type { GenerateSettings } from '#app/contract/settings.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { plural, timeLeft } from '#renderer/ui/format.ts'

/** Above this many steps single threads would be too thin to see. */
const mostThreads = 150

/** A run as a weave: one thread for each step, and a knot where FreeU was changed. */
export function StepRibbon({ job }: { job: Job }) {
  const marks = useStudio((state) => state.freeuMarks[job.id])
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
        <Knots steps={marks?.map((mark) => mark.step) ?? []} count={totalSteps} />
      </div>
    </div>
  )
}

/** The same for a clip that is finished. */
export function FinishedRibbon({ settings }: { settings: GenerateSettings }) {
  const { numInferenceSteps, guidanceScale, freeu, freeuChanges } = settings
  const changed = freeuChanges.map((change) => change.step + 1)
  const facts = [
    plural(numInferenceSteps, 'step'),
    `guidance ${guidanceScale}`,
    changed.length > 0
      ? `FreeU changed at ${changed.length === 1 ? 'step' : 'steps'} ${changed.join(', ')}`
      : freeu && 'FreeU',
  ]
  return (
    <div className="ribbon" data-finished="">
      <div className="ribbon-line">
        <span>{facts.filter(Boolean).join(', ')}</span>
        <span className="muted">seed {settings.seed}</span>
      </div>
      <div className="ribbon-threads" aria-hidden="true">
        <Threads count={numInferenceSteps} done={numInferenceSteps} current={-1} progress={1} />
        <Knots steps={changed} count={numInferenceSteps} />
      </div>
    </div>
  )
}

type ThreadsProps = { count: number; done: number; current: number; progress: number }

function Threads({ count, done, current, progress }: ThreadsProps) {
  if (count === 0 || count > mostThreads) return <b style={{ width: `${progress * 100}%` }} />
  return Array.from({ length: count }, (_, i) => (
    <i key={i} data-state={i < done ? 'done' : i === current ? 'now' : undefined} />
  ))
}

function Knots({ steps, count }: { steps: readonly number[]; count: number }) {
  return steps
    .filter((step) => step <= count)
    .map((step) => (
      <em key={step} title={`FreeU changed from step ${step} on`} style={{ left: `${((step - 1) / count) * 100}%` }} />
    ))
}
