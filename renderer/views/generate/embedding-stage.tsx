import { Download, Trash2 } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { EmbeddingResult } from '#app/contract/results.ts'
import { compareEmbeddings, drawEmbedding, saveEmbedding, type Likeness } from '#renderer/actions/embeddings.ts'
import { deleteResult } from '#renderer/actions/library.ts'
import { Uses } from '#renderer/parts/clip-actions.tsx'
import { Notice } from '#renderer/parts/notice.tsx'
import { useStudio } from '#renderer/store/studio.ts'
import { openResult } from '#renderer/store/view.ts'
import { Button, IconButton } from '#renderer/ui/button.tsx'
import { useMedia, widePage } from '#renderer/ui/use-media.ts'
import { EmbeddingInspector } from './embedding-inspector.tsx'
import { RecipeButton } from './recipe-button.tsx'

/** An embedding: nothing to look at, but it can be compared with the others, kept as a file, and used again. */
export function EmbeddingStage({ embedding }: { embedding: EmbeddingResult }) {
  const wide = useMedia(widePage)
  return (
    <>
      <header className="stage-head">
        <h2 className="stage-title">{embedding.title || 'Untitled'}</h2>
        <span className="badge">embedding</span>
        <div className="stage-actions">
          {!wide && (
            <RecipeButton>
              <EmbeddingInspector embedding={embedding} />
            </RecipeButton>
          )}
          <Button variant="ghost" aria-label="Save as file" onClick={() => void saveEmbedding(embedding)}>
            <Download size={14} aria-hidden="true" />
            Save
          </Button>
          <IconButton label="Delete embedding" onClick={() => void deleteResult(embedding)}>
            <Trash2 size={14} aria-hidden="true" />
          </IconButton>
        </div>
      </header>
      <Comparison key={embedding.id} embedding={embedding} />
      <Uses result={embedding}>
        <Button size="small" onClick={() => void drawEmbedding(embedding)}>
          Draw it
        </Button>
      </Uses>
    </>
  )
}

/** How alike the others of the library are, the most alike first. */
function Comparison({ embedding }: { embedding: EmbeddingResult }) {
  const results = useStudio((state) => state.results)
  const [likeness, setLikeness] = useState<readonly Likeness[]>()
  useEffect(() => {
    let current = true
    void compareEmbeddings(embedding, results).then((found) => {
      if (current) setLikeness(found)
    })
    return () => {
      current = false
    }
  }, [embedding, results])
  if (!likeness) return <div className="viewport" aria-busy="true" />
  if (likeness.length === 0)
    return (
      <Notice
        title="Kept"
        text="Make another embedding to see how alike the two are, or mix this one into a picture, with a weight."
      />
    )
  return (
    <div className="viewport likeness scroll">
      <h3>How alike the others are</h3>
      <ol>
        {likeness.map(({ other, cosine }) => (
          <li key={other.id}>
            <button type="button" className="link" onClick={() => openResult(other)}>
              {other.title || 'Untitled'}
            </button>
            <span>{cosine === null ? 'another kind' : cosine.toFixed(3)}</span>
          </li>
        ))}
      </ol>
    </div>
  )
}
