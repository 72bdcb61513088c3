import { Ban, CirclePause, Clapperboard, TriangleAlert } from 'lucide-react'
import type { PictureResult } from '#app/contract/results.ts'
import { isFinished, type Job } from '#app/contract/jobs.ts'
import { takesWords } from '#app/contract/media-refs.ts'
import { modelKinds } from '#app/contract/models.ts'
import { pipelineOf, pipelines } from '#app/contract/pipelines.ts'
import { cancelJob, dismissJob, followJob } from '#renderer/actions/jobs.ts'
import { showClip } from '#renderer/actions/library.ts'
import { ClipActions, Uses } from '#renderer/parts/clip-actions.tsx'
import { CommandButton } from '#renderer/parts/commands.tsx'
import { Filmstrip, usePlayable } from '#renderer/parts/player/filmstrip.tsx'
import { Notice } from '#renderer/parts/notice.tsx'
import { FinishedRibbon, StepRibbon } from '#renderer/parts/player/step-ribbon.tsx'
import { Transport } from '#renderer/parts/player/transport.tsx'
import { Viewport } from '#renderer/parts/player/viewport.tsx'
import { RunAgain } from '#renderer/parts/run-again.tsx'
import { forgetFailures, useFrames, useLoaded } from '#renderer/store/frames.ts'
import { useDraft } from '#renderer/store/draft.ts'
import { isUsable, modelsFor } from '#renderer/store/models.ts'
import { settingsOfJob } from '#renderer/store/sent-settings.ts'
import { activeJobs, embeddingById, pictureById, runningIn, useStudio } from '#renderer/store/studio.ts'
import { setPlace, usePlace } from '#renderer/store/view.ts'
import { clipUrl } from '#renderer/bridge/media.ts'
import { Button } from '#renderer/ui/button.tsx'
import { plural } from '#renderer/ui/format.ts'
import { useMedia, widePage } from '#renderer/ui/use-media.ts'
import { ClipInspector } from './clip-inspector.tsx'
import { EmbeddingStage } from './embedding-stage.tsx'
import { RecipeButton } from './recipe-button.tsx'

export function GenerateStage() {
  const { shown } = usePlace('generate')
  const job = useStudio((state) =>
    shown?.kind === 'job' ? state.jobs.find((entry) => entry.id === shown.id) : undefined,
  )
  const clip = useStudio((state) => (shown?.kind === 'result' ? pictureById(state, shown.id) : undefined))
  const embedding = useStudio((state) => (shown?.kind === 'result' ? embeddingById(state, shown.id) : undefined))
  const result = clip ? <ClipStage clip={clip} /> : embedding && <EmbeddingStage embedding={embedding} />
  return (
    <section className="stage" aria-label="Stage">
      {job ? <JobStage job={job} /> : (result ?? <EmptyStage />)}
    </section>
  )
}

/** The way back to the job that runs, from whatever else is looked at. */
function RunningChip() {
  const { shown } = usePlace('generate')
  const job = useStudio((state) => runningIn('generate', state))
  if (!job || shown?.id === job.id) return null
  return (
    <Button size="small" variant="ghost" className="running-chip" onClick={() => followJob(job)}>
      <i aria-hidden="true" />
      {job.totalSteps > 0 ? `Step ${job.step} of ${job.totalSteps}` : job.stage}, show
    </Button>
  )
}

function EmptyStage() {
  const prompt = useDraft((draft) => draft.prompt)
  const pipeline = useDraft((draft) => draft.pipeline)
  const record = pipelineOf(pipeline)
  const { kind } = record.models.model!
  const ready = useStudio((state) => modelsFor(state.models, kind).some(isUsable))
  const known = useStudio((state) => state.modelsKnown)
  const { makes } = pipelines[pipeline]
  const given = Object.values(record.media ?? {}).find(({ optional }) => !optional)
  const from = given ? `a ${given.what ?? takesWords[given.takes]} and a prompt` : 'a prompt'
  if (known && !ready)
    return (
      <Notice
        icon={Clapperboard}
        title={`No ${modelKinds[kind].what} yet`}
        text="Add a folder that holds one, in Hugging Face layout."
      >
        <CommandButton command="folders">Choose folders</CommandButton>
      </Notice>
    )
  return (
    <Notice
      icon={Clapperboard}
      title={`${makes === 'embedding' ? 'An' : 'A'} ${makes} starts with ${from}`}
      text="Write what it shows, then generate. It takes shape here, step by step. Drop a clip or a still anywhere to bring back its settings, or a clip to classify it."
    >
      {prompt && !given && (
        <CommandButton command="run" disabled={!ready}>
          Try “{prompt.length > 44 ? `${prompt.slice(0, 42)}…` : prompt}”
        </CommandButton>
      )}
    </Notice>
  )
}

function ClipStage({ clip }: { clip: PictureResult }) {
  const key = `clip:${clip.id}`
  // Until the clip is read, the last preview of the run that made it stays.
  const job = useStudio((state) => state.jobs.find((entry) => entry.resultId === clip.id))
  const { frames: own, failed } = useLoaded(key, () => showClip(clip.id))
  const preview = useFrames(job && `preview:${job.id}`)
  const frames = own ?? preview
  const wide = useMedia(widePage)
  usePlayable(frames, clip.fps)
  return (
    <>
      <header className="stage-head">
        <h2 className="stage-title">{clip.title || 'Untitled'}</h2>
        <div className="stage-actions">
          <RunningChip />
          {!wide && (
            <RecipeButton>
              <ClipInspector clip={clip} />
            </RecipeButton>
          )}
          <ClipActions clip={clip} />
        </div>
      </header>
      {frames ? (
        <Viewport frames={frames} title={clip.title} />
      ) : failed?.code === 'unsupported' ? (
        // Where frames cannot be stepped through, the clip still plays as a picture.
        <Notice title="Playing without frame controls" text={failed.message}>
          <img src={clipUrl(clip.id)} alt={clip.title} />
        </Notice>
      ) : failed ? (
        <Notice icon={TriangleAlert} tone="problem" title="This clip could not be loaded" text={failed.message}>
          <Button onClick={() => forgetFailures(key)}>Try again</Button>
        </Notice>
      ) : (
        <div className="viewport" aria-busy="true" />
      )}
      <Uses result={clip} />
      <FinishedRibbon recipe={clip.recipe} />
      {clip.kind === 'clip' && (
        <>
          <Transport />
          {frames ? <Filmstrip frames={frames} /> : <div className="filmstrip" />}
        </>
      )}
    </>
  )
}

function JobStage({ job }: { job: Job }) {
  const frames = useFrames(`preview:${job.id}`)
  const over = isFinished(job.status)
  const moves = pipelines[job.pipeline].makes === 'clip'
  usePlayable(over ? undefined : frames, settingsOfJob(job.id).fps ?? 1)
  return (
    <>
      <header className="stage-head">
        <h2 className="stage-title">{job.title || 'Untitled'}</h2>
        {frames && !over && (
          <span className="badge" data-tone="warp">
            preview
          </span>
        )}
        <div className="stage-actions">
          <RunningChip />
          {over ? (
            <Button size="small" variant="ghost" onClick={() => leaveJob(job.id)}>
              Dismiss
            </Button>
          ) : (
            <Button size="small" onClick={() => void cancelJob(job)}>
              Cancel
            </Button>
          )}
        </div>
      </header>
      {over ? (
        <EndedJob job={job} />
      ) : frames ? (
        <Viewport frames={frames} title={`Preview: ${job.title}`} />
      ) : (
        <Waiting job={job} />
      )}
      {!over && <StepRibbon job={job} />}
      {moves && (
        <>
          <Transport />
          {!over && (frames ? <Filmstrip frames={frames} /> : <div className="filmstrip" />)}
        </>
      )}
    </>
  )
}

function leaveJob(id: string): void {
  setPlace('generate', { shown: null })
  void dismissJob(id)
}

function Waiting({ job }: { job: Job }) {
  const before = useStudio((state) => activeJobs(state).findIndex((entry) => entry.id === job.id))
  if (job.status === 'queued' && before > 0)
    return <Notice icon={CirclePause} title="Waiting" text={`${plural(before, 'job')} before this one.`} />
  return <Loom {...settingsOfJob(job.id)} />
}

/** The empty frame that a clip will fill: warp threads, waiting for the first step. */
function Loom({ width, height }: { width: number; height: number }) {
  return (
    <div className="viewport" aria-busy="true">
      <div className="loom" style={{ aspectRatio: `${width} / ${height}` }} />
    </div>
  )
}

function EndedJob({ job }: { job: Job }) {
  const stopped = useStudio((state) => state.engine?.state === 'stopped')
  if (job.status === 'cancelled')
    return (
      <Notice
        icon={Ban}
        title="Cancelled"
        text={job.totalSteps > 0 ? `After ${job.step} of ${job.totalSteps} steps.` : undefined}
      >
        <RunAgain job={job} />
      </Notice>
    )
  const lost = job.status === 'interrupted'
  const what = pipelines[job.pipeline].makes
  return (
    <Notice
      icon={TriangleAlert}
      tone="problem"
      title={lost ? `The engine stopped while it made this ${what}` : `This ${what} could not be made`}
      text={job.problem?.message ?? 'The host gave no reason.'}
    >
      {stopped ? <CommandButton command="restart" /> : <RunAgain job={job} />}
    </Notice>
  )
}
