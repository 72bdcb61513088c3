import { useEffect, useRef, useState } from 'react'
import type { FrameSet } from '#renderer/store/frames.ts'
import { playerStore, usePlayer } from '#renderer/store/player.ts'

type ViewportProps = { frames: FrameSet; title: string }

/** The clip itself. Frames are drawn at their own size; the page's layout enlarges them. */
export function Viewport({ frames, title }: ViewportProps) {
  const box = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const room = useRoom(box)
  const zoom = usePlayer((state) => state.zoom)
  const smooth = usePlayer((state) => state.smooth)
  const scale = scaleFor(zoom, room, frames, smooth)

  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    const draw = (): void => {
      const image = frames.images[Math.min(playerStore.getState().frame, frames.images.length - 1)]
      if (image) context?.putImageData(image, 0, 0)
    }
    draw()
    return playerStore.subscribe((state, before) => {
      if (state.frame !== before.frame) draw()
    })
  }, [frames])

  return (
    <div className="viewport" ref={box} data-zoomed={zoom !== 'fit' || undefined}>
      <canvas
        ref={canvas}
        width={frames.width}
        height={frames.height}
        role="img"
        aria-label={title}
        style={{
          width: frames.width * scale,
          height: frames.height * scale,
          imageRendering: smooth ? 'auto' : 'pixelated',
        }}
      />
    </div>
  )
}

type Room = { width: number; height: number }

function scaleFor(zoom: 'fit' | number, room: Room, frames: Room, smooth: boolean): number {
  // One clip pixel to one pixel of the screen, whatever the screen's density is.
  if (zoom !== 'fit') return zoom / window.devicePixelRatio
  const scale = Math.min(room.width / frames.width, room.height / frames.height)
  // Hard pixels look even only at whole multiples.
  return smooth || scale < 2 ? scale : Math.floor(scale)
}

function useRoom(box: React.RefObject<HTMLDivElement | null>): Room {
  const [room, setRoom] = useState<Room>({ width: 0, height: 0 })
  useEffect(() => {
    if (!box.current) return
    const observer = new ResizeObserver(([entry]) => entry && setRoom(entry.contentRect))
    observer.observe(box.current)
    return () => observer.disconnect()
  }, [box])
  return room
}
