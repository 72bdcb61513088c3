import { useEffect, useRef } from 'react'

/** One frame, still. Decorative unless it is given a name. */
export function FrameCanvas({ image, name }: { image: ImageData; name?: string }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    canvas.current?.getContext('2d')?.putImageData(image, 0, 0)
  }, [image])
  return (
    <canvas
      ref={canvas}
      width={image.width}
      height={image.height}
      {...(name ? { role: 'img', 'aria-label': name } : { 'aria-hidden': true })}
    />
  )
}
