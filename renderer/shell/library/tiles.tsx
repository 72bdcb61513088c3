import { CircleAlert, Hourglass, RotateCcw, Trash2, X } from 'lucide-react'
import { useEffect } from 'react'
import type { ClassificationResult, ClipResult, Result } from '#app/contract/results.ts'
import type { Job } from '#app/contract/jobs.ts'
import { isFinished } from '#app/contract/jobs.ts'
import { cancelJob, dismissJob, runAgain } from '#renderer/actions/generate.ts'
import { openResult, showClassified, showThumbnail } from '#renderer/actions/library.ts'
import { clipUrl } from '#renderer/bridge/media.ts'
import { useFrames, useFramesFailure } from '#renderer/store/frames.ts'
import { setView, useView } from '#renderer/store/view.ts'
import { Button } from '#renderer/ui/button.tsx'
import { percent } from '#renderer/ui/format.ts'
import { TileMenu } from '#renderer/parts/clip-actions.tsx'
import { FrameCanvas } from '#renderer/parts/frame-canvas.tsx'

export function ResultTile({ result }: { result: Result }) {
  const selected = useView((state) =>
    state.view === 'generate'
      ? state.stage.kind === 'clip' && state.stage.id === result.id
      : state.classification?.id === result.id || (state.source?.kind === 'clip' && state.source.id === result.id),
  )
  return (
    <li className="tile" data-selected={selected || undefined}>
      <button
        type="button"
        className="tile-open"
        aria-current={selected || undefined}
        onClick={() => openResult(result)}
        onKeyDown={(event) => event.key === 'Delete' && setView({ deleting: result.id })}
      >
        {result.kind === 'clip' ? <ClipTile clip={result} /> : <ClassificationTile result={result} />}
      </button>
      <div className="tile-menu">
        {result.kind === 'clip' ? (
          <TileMenu clip={result} />
        ) : (
          <Button
            data-icon=""
            variant="ghost"
            size="small"
            aria-label={`Delete the classification of ${result.title}`}
            onClick={() => setView({ deleting: result.id })}
          >
            <Trash2 size={13} aria-hidden="true" />
          </Button>
        )}
      </div>
    </li>
  )
}

function ClipTile({ clip }: { clip: ClipResult }) {
  const key = `thumbnail:${clip.id}`
  const thumbnail = useFrames(key)
  const failure = useFramesFailure(key)
  useEffect(() => showThumbnail(clip.id), [clip.id, thumbnail])
  return (
    <>
      <span className="tile-picture">
        {thumbnail?.images[0] && <FrameCanvas image={thumbnail.images[0]} />}
        {/* It moves while it is looked at; a wall of moving pictures is no place to think. */}
        <img className={failure ? undefined : 'tile-motion'} src={clipUrl(clip.id)} alt="" loading="lazy" />
      </span>
      <span className="tile-words">
        <span className="tile-title">{clip.title || 'Untitled clip'}</span>
        <span className="tile-meta">
          {clip.numFrames} f, {clip.width} × {clip.height}
        </span>
      </span>
    </>
  )
}

function ClassificationTile({ result }: { result: ClassificationResult }) {
  const frames = useFrames(`classified:${result.id}`)
  useEffect(() => showClassified(result.id), [result.id, frames])
  const top = result.classification.labels[0]
  return (
    <>
      <span className="tile-picture">{frames?.images[0] && <FrameCanvas image={frames.images[0]} />}</span>
      <span className="tile-words">
        <span className="tile-title">{top?.label ?? 'No label'}</span>
        <span className="tile-meta" data-thread="weft">
          {top && percent(top.probability)} <span>{result.title}</span>
        </span>
      </span>
    </>
  )
}

export function JobTile({ job }: { job: Job }) {
  const over = isFinished(job.status)
  const preview = useFrames(`preview:${job.id}`)
  const selected = useView((state) =>
    state.view === 'generate'
      ? state.stage.kind === 'job' && state.stage.id === job.id
      : state.classification?.id === job.id,
  )
  const open = (): void =>
    job.kind === 'generate'
      ? setView({ view: 'generate', stage: { kind: 'job', id: job.id } })
      : setView({ view: 'classify', classification: { kind: 'job', id: job.id } })
  return (
    <li className="tile" data-selected={selected || undefined} data-job={over ? 'ended' : 'active'}>
      <button type="button" className="tile-open" aria-current={selected || undefined} onClick={open}>
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
          onClick={() => void (over ? dismissJob(job.id) : cancelJob(job.id))}
        >
          <X size={14} aria-hidden="true" />
        </Button>
      </div>
    </li>
  )
}

const endings: Partial<Record<Job['status'], string>> = { failed: 'Failed', interrupted: 'Interrupted' }
