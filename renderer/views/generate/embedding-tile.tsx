import { Download, FileDigit, PencilLine } from 'lucide-react'
import type { EmbeddingResult } from '#app/contract/results.ts'
import { drawEmbedding, saveEmbedding } from '#renderer/actions/embeddings.ts'
import { MenuItem, ResultMenu } from '#renderer/parts/clip-actions.tsx'

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

export const EmbeddingTileMenu = ({ embedding }: { embedding: EmbeddingResult }) => (
  <ResultMenu result={embedding}>
    <MenuItem icon={PencilLine} onClick={() => void drawEmbedding(embedding)}>
      Draw it
    </MenuItem>
    <MenuItem icon={Download} onClick={() => void saveEmbedding(embedding)}>
      Save as file
    </MenuItem>
  </ResultMenu>
)
