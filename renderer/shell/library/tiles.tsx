import { CircleAlert, Hourglass, RotateCcw, X } from 'lucide-react'
import { isFinished, type Job } from '#app/contract/jobs.ts'
import type { Result } from '#app/contract/results.ts'
import { viewOfResult } from '#app/contract/views.ts'
import { cancelJob, dismissJob, followJob, runAgain } from '#renderer/actions/jobs.ts'
import { deleteResult } from '#renderer/actions/library.ts'
import { FrameCanvas } from '#renderer/parts/frame-canvas.tsx'
import { useFrames } from '#renderer/store/frames.ts'
import { isRunning } from '#renderer/store/studio.ts'
import { isOnShow, openJob, openResult, useView } from '#renderer/store/view.ts'
import { Button } from '#renderer/ui/button.tsx'
import { views } from '#renderer/views/views.ts'

export function ResultTile({ result }: { result: Result }) {
  const selected = useView((state) => isOnShow(state, { kind: 'result', id: result.id }))
  const { Tile, TileMenu } = views[viewOfResult(result.kind)]
  return (
    <li className="tile" data-selected={selected || undefined}>
      <button
        type="button"
        className="tile-open"
        aria-current={selected || undefined}
        onClick={() => openResult(result)}
        onKeyDown={(event) => {
          if (event.key !== 'Delete') return
          // This one, not the one on the stage.
          event.preventDefault()
          void deleteResult(result)
        }}
      >
        <Tile result={result} />
      </button>
      <div className="tile-menu">
        <TileMenu result={result} />
      </div>
    </li>
  )
}

export function JobTile({ job }: { job: Job }) {
  const over = isFinished(job.status)
  const preview = useFrames(`preview:${job.id}`)
  const selected = useView((state) => isOnShow(state, { kind: 'job', id: job.id }))
  return (
    <li className="tile" data-selected={selected || undefined} data-job={over ? 'ended' : 'active'}>
      <button
        type="button"
        className="tile-open"
        aria-current={selected || undefined}
        onClick={() => (isRunning(job) ? followJob(job) : openJob(job))}
      >
        <span className="tile-picture">
          {preview?.images[0] && !over ? (
            <FrameCanvas image={preview.images[0]} />
          ) : over ? (
            <CircleAlert size={18} aria-hidden="true" />
          ) : (
            <Hourglass size={16} aria-hidden="true" />
          )}
        </span>
        <span className="tile-words">
          <span className="tile-title">{job.title || 'Untitled clip'}</span>
          <span className="tile-meta">
            {job.seed !== undefined && `seed ${job.seed} · `}
            {over ? endings[job.status] : job.status === 'queued' ? 'In the queue' : job.stage}
          </span>
        </span>
        {!over && <i className="tile-progress" style={{ width: `${job.progress * 100}%` }} />}
      </button>
      <div className="tile-menu">
        {over && (
          <Button
            data-icon=""
            variant="ghost"
            size="small"
            aria-label={`Run ${job.title} again`}
            onClick={() => void runAgain(job)}
          >
            <RotateCcw size={13} aria-hidden="true" />
          </Button>
        )}
        <Button
          data-icon=""
          variant="ghost"
          size="small"
          aria-label={over ? `Dismiss ${job.title}` : `Cancel ${job.title}`}
          onClick={() => void (over ? dismissJob(job.id) : cancelJob(job))}
        >
          <X size={14} aria-hidden="true" />
        </Button>
      </div>
    </li>
  )
}

const endings: Partial<Record<Job['status'], string>> = { failed: 'Failed', interrupted: 'Interrupted' }
