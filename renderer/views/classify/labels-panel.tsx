import { Tags, TriangleAlert } from 'lucide-react'
import { isFinished, type Job } from '#app/contract/jobs.ts'
import type { ClassificationResult } from '#app/contract/results.ts'
import { cancelJob } from '#renderer/actions/jobs.ts'
import { Notice } from '#renderer/parts/notice.tsx'
import { RunAgain } from '#renderer/parts/run-again.tsx'
import { useClassify } from '#renderer/store/classify.ts'
import { classificationById, useStudio } from '#renderer/store/studio.ts'
import { computeLabel } from '#renderer/store/compute.ts'
import { usePlace } from '#renderer/store/view.ts'
import { Button } from '#renderer/ui/button.tsx'
import { percent } from '#renderer/ui/format.ts'
import { Section } from '#renderer/ui/section.tsx'

/** What the classifier says, or how far it is. */
export function LabelsPanel() {
  const { shown } = usePlace('classify')
  const preparing = useClassify((state) => state.preparing)
  const job = useStudio((state) =>
    shown?.kind === 'job' ? state.jobs.find((entry) => entry.id === shown.id) : undefined,
  )
  const result = useStudio((state) => (shown?.kind === 'result' ? classificationById(state, shown.id) : undefined))
  if (result) return <Labels result={result} />
  if (job) return <JobProgress job={job} />
  if (preparing) return <Notice title={preparing} />
  return (
    <Notice
      icon={Tags}
      title="Labels appear here"
      text="The most probable first, with the model’s confidence in each."
    />
  )
}

function JobProgress({ job }: { job: Job }) {
  if (job.status === 'cancelled') return <Notice title="Cancelled" />
  if (isFinished(job.status))
    return (
      <Notice
        icon={TriangleAlert}
        tone="problem"
        title={
          job.status === 'interrupted' ? 'The engine stopped while it looked' : 'This clip could not be classified'
        }
        text={job.problem?.message ?? 'The host gave no reason.'}
      >
        <RunAgain job={job} />
      </Notice>
    )
  return (
    <Notice title={job.stage}>
      <div
        className="labels-progress"
        role="progressbar"
        aria-label="Progress"
        aria-valuenow={Math.round(job.progress * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
      >
        <i style={{ width: `${job.progress * 100}%` }} />
      </div>
      <Button size="small" onClick={() => void cancelJob(job)}>
        Cancel
      </Button>
    </Notice>
  )
}

function Labels({ result }: { result: ClassificationResult }) {
  const { labels, notes, modelName } = result.classification
  return (
    <div className="scroll labels-panel">
      <Section title="Labels">
        <ol className="labels">
          {labels.map(({ label, probability }, rank) => (
            <li key={label} data-first={rank === 0 || undefined}>
              <div className="label-line">
                <span>{label}</span>
                <span className="label-share">{percent(probability)}</span>
              </div>
              <div className="label-bar">
                <i style={{ width: `${probability * 100}%` }} />
              </div>
            </li>
          ))}
        </ol>
        {notes.map((note) => (
          <p key={note} className="run-note">
            <TriangleAlert size={12} aria-hidden="true" />
            {note}
          </p>
        ))}
      </Section>
      <Section title="Answered by">
        <dl className="recipe">
          <dt>Model</dt>
          <dd>{modelName}</dd>
          <dt>Compute</dt>
          <dd>{computeLabel(result.settings.compute)}</dd>
          <dt>Clip</dt>
          <dd>{result.title}</dd>
          <dt>When</dt>
          <dd>{new Date(result.createdAt).toLocaleString()}</dd>
        </dl>
      </Section>
    </div>
  )
}
