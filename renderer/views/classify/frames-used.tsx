import type { ClassificationResult } from '#app/contract/results.ts'
import { showClassified } from '#renderer/actions/library.ts'
import { FrameCanvas } from '#renderer/parts/frame-canvas.tsx'
import { useLoaded } from '#renderer/store/frames.ts'
import { plural } from '#renderer/ui/format.ts'

/** The frames that the classifier was given, by their place in the clip. */
export function FramesUsed({ result }: { result: ClassificationResult }) {
  const { windows, frameCount } = result.classification
  const { frames } = useLoaded(`classified:${result.id}`, () => showClassified(result.id))
  const starts = windows.map((_, w) => windows.slice(0, w).reduce((sum, window) => sum + window.length, 0))
  return (
    <section className="used" aria-label="Frames used">
      <header className="used-head">
        <h2>Frames used</h2>
        <span className="muted">
          {windows.length > 1 && `${plural(windows.length, 'window')} of `}
          {windows[0]?.length ?? 0} from {plural(frameCount, 'frame')}
        </span>
      </header>
      <div className="used-windows scroll" role="group" aria-label="Windows" tabIndex={0}>
        {windows.map((window, w) => (
          <ol
            key={w}
            className="used-frames"
            style={{ gridTemplateColumns: `repeat(${Math.min(16, window.length)}, minmax(0, 104px))` }}
          >
            {window.map((index, i) => {
              const image = frames?.images[starts[w]! + i]
              return (
                <li key={i}>
                  {image ? (
                    <FrameCanvas image={image} name={`Frame ${index + 1} of the clip`} />
                  ) : (
                    <span className="used-blank" />
                  )}
                  <span>{index + 1}</span>
                </li>
              )
            })}
          </ol>
        ))}
      </div>
    </section>
  )
}
