import { useEffect } from 'react'
import { isPicture, type PictureResult, type Result } from '#app/contract/results.ts'
import { showThumbnail } from '#renderer/actions/library.ts'
import { clipUrl } from '#renderer/bridge/media.ts'
import { TileMenu } from '#renderer/parts/clip-actions.tsx'
import { FrameCanvas } from '#renderer/parts/frame-canvas.tsx'
import { useFrames, useFramesFailure } from '#renderer/store/frames.ts'

export const ClipTile = ({ result }: { result: Result }) => isPicture(result) && <Tile clip={result} />
export const ClipTileMenu = ({ result }: { result: Result }) => isPicture(result) && <TileMenu clip={result} />

function Tile({ clip }: { clip: PictureResult }) {
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
        <span className="tile-title">{clip.title || 'Untitled'}</span>
        <span className="tile-meta">
          {clip.kind === 'clip' && `${clip.numFrames} f, `}
          {clip.width} × {clip.height}
        </span>
      </span>
    </>
  )
}
