import { Trash2 } from 'lucide-react'
import type { ClassificationResult, Result } from '#app/contract/results.ts'
import { deleteResult, showClassified } from '#renderer/actions/library.ts'
import { FrameCanvas } from '#renderer/parts/frame-canvas.tsx'
import { useLoaded } from '#renderer/store/frames.ts'
import { Button } from '#renderer/ui/button.tsx'
import { percent } from '#renderer/ui/format.ts'

export const ClassificationTile = ({ result }: { result: Result }) =>
  result.kind === 'classification' && <Tile result={result} />

export const ClassificationTileMenu = ({ result }: { result: Result }) => (
  <Button
    data-icon=""
    variant="ghost"
    size="small"
    aria-label={`Delete the classification of ${result.title}`}
    onClick={() => void deleteResult(result)}
  >
    <Trash2 size={13} aria-hidden="true" />
  </Button>
)

function Tile({ result }: { result: ClassificationResult }) {
  const { frames } = useLoaded(`classified:${result.id}`, () => showClassified(result.id))
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
