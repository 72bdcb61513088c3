import type { FrameSet } from '#renderer/store/frames.ts'

/** In CSS pixels. */
export type Size = { width: number; height: number }

/** Draws each frame whole, never cut: as many as have room side by side, all where they have. */
export function paintFilmstrip(
  canvas: HTMLCanvasElement,
  frames: Pick<FrameSet, 'width' | 'height' | 'images'>,
  { width, height }: Size,
): void {
  const ratio = window.devicePixelRatio
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  const context = canvas.getContext('2d')
  const scratch = new OffscreenCanvas(frames.width, frames.height)
  const scratchContext = scratch.getContext('2d')
  if (!context || !scratchContext) return
  const narrowest = Math.min(width, (height * frames.width) / frames.height)
  const cells = Math.max(1, Math.min(frames.images.length, Math.floor(width / narrowest)))
  const cell = canvas.width / cells
  const scale = Math.min((cell - ratio) / frames.width, canvas.height / frames.height)
  const [w, h] = [frames.width * scale, frames.height * scale]
  for (let i = 0; i < cells; i++) {
    const image = frames.images[Math.floor((i * frames.images.length) / cells)]
    if (!image) continue
    scratchContext.putImageData(image, 0, 0)
    context.drawImage(scratch, i * cell + (cell - w) / 2, (canvas.height - h) / 2, w, h)
  }
}
