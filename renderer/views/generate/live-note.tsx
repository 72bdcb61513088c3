import type { Job } from '#app/contract/jobs.ts'
import type { Fields } from '#app/contract/pipelines/fields.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { runningLive, useStudio, type LiveMark } from '#renderer/store/studio.ts'

type LiveNoteProps = {
  what: LiveMark['what']
  /** Where the form keeps the changes that a recipe remembers. */
  changes: keyof Pick<Fields, 'freeuChanges' | 'loraChanges'>
  /** Whether the last step of the job used something else than what was asked for. */
  isBehind: (job: Job) => boolean
  /** Said while nothing runs. */
  idle?: string
  /** Said of what a change does not reach. */
  limit?: string
}

/** Where in the run a move of the sliders shows, and which moves a recipe brought. */
export function LiveNote({ what, changes, isBehind, idle, limit }: LiveNoteProps) {
  const job = useStudio(runningLive)
  const replayed = useDraft((draft) => draft[changes])
  const marks = useStudio((state) => (job ? state.liveMarks[job.id] : undefined))
  // A recipe's own changes differ from what was asked for too, without anything to wait for.
  const waiting = replayed.length === 0 && job !== undefined && isBehind(job)
  const since = marks?.findLast((mark) => mark.what === what)?.step
  const steps = replayed.map((change) => change.step + 1).join(', ')
  const said = !job
    ? idle
    : waiting
      ? 'Takes effect at the next step.'
      : since !== undefined
        ? `In effect since step ${since}.`
        : 'Move a slider: the next step of this run uses it.'
  return (
    <>
      {replayed.length > 0 && (
        <p className="live-note">
          The recipe changes {what} at {replayed.length === 1 ? 'step' : 'steps'} {steps}; the next run does the same.{' '}
          <button type="button" className="link" onClick={() => editDraft({ [changes]: [] })}>
            Forget the changes
          </button>
        </p>
      )}
      {said && (
        <p className="live-note" role={job && 'status'} data-live={waiting || (job && since) ? '' : undefined}>
          {said} {job && limit}
        </p>
      )}
    </>
  )
}
