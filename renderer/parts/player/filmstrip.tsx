import { useEffect, useRef, useState } from 'react'
import type { FrameSet } from '#renderer/store/frames.ts'
import { playerStore, seek, stepFrame, usePlayer } from '#renderer/store/player.ts'
import { paintFilmstrip, type Size } from './paint-filmstrip.ts'

/** All frames side by side, to scrub over. `marked` frames carry a tick: those that a classifier looks at. */
export function Filmstrip({ frames, marked }: { frames: FrameSet; marked?: ReadonlySet<number> | undefined }) {
  const strip = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const frame = usePlayer((state) => state.frame)
  const { width, height } = useSize(strip)
  const count = frames.images.length

  useEffect(() => {
    if (canvas.current && width > 0) paintFilmstrip(canvas.current, frames, { width, height })
  }, [frames, width, height])

  const scrub = (event: React.PointerEvent<HTMLDivElement>): void => {
    const bounds = event.currentTarget.getBoundingClientRect()
    seek(Math.floor(((event.clientX - bounds.left) / bounds.width) * count))
  }
  const keys: Record<string, () => void> = {
    ArrowLeft: () => stepFrame(-1),
    ArrowRight: () => stepFrame(1),
    Home: () => seek(0),
    End: () => seek(count - 1),
  }

  return (
    <div
      className="filmstrip"
      ref={strip}
      role="slider"
      tabIndex={0}
      aria-label="Frame"
      aria-valuemin={1}
      aria-valuemax={count}
      aria-valuenow={frame + 1}
      aria-valuetext={`Frame ${frame + 1} of ${count}`}
      style={{ '--frames': count, '--aspect': frames.width / frames.height } as React.CSSProperties}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        scrub(event)
      }}
      onPointerMove={(event) => event.buttons === 1 && scrub(event)}
      onKeyDown={(event) => {
        const act = keys[event.key]
        if (!act) return
        event.preventDefault()
        event.stopPropagation()
        act()
      }}
    >
      <canvas ref={canvas} aria-hidden="true" />
      {marked &&
        [...marked].map((index) => (
          <i key={index} className="filmstrip-mark" style={{ left: `${((index + 0.5) / count) * 100}%` }} />
        ))}
      <i className="filmstrip-head" style={{ left: `${(frame / count) * 100}%`, width: `${100 / count}%` }} />
    </div>
  )
}

function useSize(element: React.RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 })
  useEffect(() => {
    if (!element.current) return
    const observer = new ResizeObserver(([entry]) => entry && setSize(entry.contentRect))
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [element])
  return size
}

/** Tells the player what it plays. */
export function usePlayable(frames: FrameSet | undefined, fps: number): void {
  const count = frames?.images.length ?? 0
  useEffect(() => {
    playerStore.setState((state) => ({ count, fps, frame: Math.min(state.frame, Math.max(0, count - 1)) }))
  }, [count, fps])
}
