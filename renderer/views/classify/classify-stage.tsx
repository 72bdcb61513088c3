import { CircleAlert, ScanSearch } from 'lucide-react'
import { useMemo } from 'react'
import type { ClassificationResult } from '#app/contract/results.ts'
import { chooseFrames } from '#app/media/choose-frames.ts'
import { showClip } from '#renderer/actions/library.ts'
import { showFile } from '#renderer/actions/file-frames.ts'
import { plural } from '#renderer/ui/format.ts'
import { FramesUsed } from './frames-used.tsx'
import { Filmstrip, usePlayable } from '#renderer/parts/player/filmstrip.tsx'
import { Notice } from '#renderer/parts/notice.tsx'
import { Transport } from '#renderer/parts/player/transport.tsx'
import { Viewport } from '#renderer/parts/player/viewport.tsx'
import { useClassify } from '#renderer/store/classify.ts'
import { useFrames, useLoaded } from '#renderer/store/frames.ts'
import { classificationById, pictureById, useStudio } from '#renderer/store/studio.ts'
import { usePlace, type Source } from '#renderer/store/view.ts'

export function ClassifyStage() {
  const { source, shown } = usePlace('classify')
  const result = useStudio((state) => (shown?.kind === 'result' ? classificationById(state, shown.id) : undefined))
  return (
    <section className="stage" aria-label="Stage">
      {source ? (
        <SourceStage source={source} key={source.kind === 'clip' ? source.id : source.url} />
      ) : result ? (
        <FramesStage result={result} />
      ) : (
        <Notice
          icon={ScanSearch}
          title="What does a clip show?"
          text="Drop a clip anywhere, browse for one, or pick one you made. The classifier looks at a few of its frames and names what happens."
        />
      )}
      {result && <FramesUsed result={result} />}
    </section>
  )
}

function SourceStage({ source }: { source: Source }) {
  const clip = useStudio((state) => (source.kind === 'clip' ? pictureById(state, source.id) : undefined))
  const key = source.kind === 'clip' ? `clip:${source.id}` : `file:${source.url}`
  const { frames, failed } = useLoaded(key, () =>
    source.kind === 'clip' ? showClip(source.id) : showFile(source.file, source.url),
  )
  usePlayable(frames, frames?.fps ?? clip?.fps ?? 8)
  const marked = useMarked(frames?.total ?? frames?.images.length, frames?.images.length)
  const title = clip?.title ?? (source.kind === 'file' ? source.file.name : 'Clip')
  return (
    <>
      <header className="stage-head">
        <h2 className="stage-title">{title}</h2>
        {frames && (
          <span className="stage-meta">
            {plural(frames.total ?? frames.images.length, 'frame')}, {frames.width} × {frames.height}
          </span>
        )}
      </header>
      {frames ? (
        <Viewport frames={frames} title={title} />
      ) : failed ? (
        <Notice
          icon={CircleAlert}
          title="No picture here"
          text={`${failed.message} The engine reads the file itself, and may still know it.`}
        />
      ) : (
        <div className="viewport" aria-busy="true" />
      )}
      <Transport />
      {frames && <Filmstrip frames={frames} marked={marked} />}
    </>
  )
}

/** A classification whose clip is not at hand any more: the frames that were looked at are what is left of it. */
function FramesStage({ result }: { result: ClassificationResult }) {
  const frames = useFrames(`classified:${result.id}`)
  usePlayable(frames, 8)
  return (
    <>
      <header className="stage-head">
        <h2 className="stage-title">{result.title}</h2>
        <span className="stage-meta">only the frames that were used</span>
      </header>
      {frames ? <Viewport frames={frames} title={result.title} /> : <div className="viewport" aria-busy="true" />}
      <Transport />
    </>
  )
}

/** The frames that the classifier would look at, before it does; as positions among the frames on show. */
function useMarked(total: number | undefined, shown: number | undefined): ReadonlySet<number> | undefined {
  const { sampling, model } = useClassify((state) => state.draft)
  const clipLen = useStudio((state) => state.models.find((entry) => entry.id === model)?.numFrames)
  return useMemo(() => {
    if (!total || !shown || !clipLen) return undefined
    return new Set(
      chooseFrames(sampling, clipLen, total)
        .windows.flat()
        .map((index) => Math.floor((index * shown) / total)),
    )
  }, [sampling, clipLen, total, shown])
}
