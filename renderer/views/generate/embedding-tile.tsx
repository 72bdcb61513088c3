import { FileDigit, Trash2 } from 'lucide-react'
import type { EmbeddingResult } from '#app/contract/results.ts'
import { deleteResult } from '#renderer/actions/library.ts'
import { Button } from '#renderer/ui/button.tsx'

/** An embedding in the library: it has no picture. */
export function EmbeddingTile({ embedding }: { embedding: EmbeddingResult }) {
  const { seed } = embedding.recipe.settings
  return (
    <>
      <span className="tile-picture">
        <FileDigit size={20} strokeWidth={1.5} aria-hidden="true" />
      </span>
      <span className="tile-words">
        <span className="tile-title">{embedding.title || 'Untitled'}</span>
        <span className="tile-meta" title={`Seed ${seed}`}>
          embedding · seed {seed}
        </span>
      </span>
    </>
  )
}

export function EmbeddingTileMenu({ embedding }: { embedding: EmbeddingResult }) {
  return (
    <Button
      data-icon=""
      variant="ghost"
      size="small"
      aria-label={`Delete ${embedding.title || 'embedding'}`}
      onClick={() => void deleteResult(embedding)}
    >
      <Trash2 size={13} aria-hidden="true" />
    </Button>
  )
}
