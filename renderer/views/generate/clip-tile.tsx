import { isEmbedding, isPicture, type PictureResult, type Result } from '#app/contract/results.ts'
import { showThumbnail } from '#renderer/actions/library.ts'
import { clipUrl } from '#renderer/bridge/media.ts'
import { TileMenu } from '#renderer/parts/clip-actions.tsx'
import { FrameCanvas } from '#renderer/parts/frame-canvas.tsx'
import { useLoaded } from '#renderer/store/frames.ts'
import { EmbeddingTile, EmbeddingTileMenu } from './embedding-tile.tsx'

export const ClipTile = ({ result }: { result: Result }) =>
  isPicture(result) ? <Tile clip={result} /> : isEmbedding(result) && <EmbeddingTile embedding={result} />
export const ClipTileMenu = ({ result }: { result: Result }) =>
  isPicture(result) ? <TileMenu clip={result} /> : isEmbedding(result) && <EmbeddingTileMenu embedding={result} />

function Tile({ clip }: { clip: PictureResult }) {
  const { frames, failed } = useLoaded(`thumbnail:${clip.id}`, () => showThumbnail(clip.id))
  const { seed } = clip.recipe.settings
  return (
    <>
      <span className="tile-picture">
        {frames?.images[0] && <FrameCanvas image={frames.images[0]} />}
        {/* It moves while it is looked at; a wall of moving pictures is no place to think. */}
        <img
          // A picture that a browser could not fetch stays broken; where the frame came after all, it is another one.
          key={failed ? 'instead' : 'motion'}
          className={failed ? undefined : 'tile-motion'}
          src={clipUrl(clip.id)}
          alt=""
          loading="lazy"
        />
      </span>
      <span className="tile-words">
        <span className="tile-title">{clip.title || 'Untitled'}</span>
        <span className="tile-meta" title={`Seed ${seed}`}>
          {clip.kind === 'clip' && `${clip.numFrames} f, `}
          {clip.width} × {clip.height} · seed {seed}
        </span>
      </span>
    </>
  )
}
