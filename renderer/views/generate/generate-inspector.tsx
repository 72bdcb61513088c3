import { useDraft } from '#renderer/store/draft.ts'
import { useFieldProblems } from '#renderer/store/field-problems.ts'
import { embeddingById, pictureById, useStudio } from '#renderer/store/studio.ts'
import { usePlace } from '#renderer/store/view.ts'
import { ClipInspector } from './clip-inspector.tsx'
import { EmbeddingInspector } from './embedding-inspector.tsx'
import { liveSections, sections, sectionsOf } from './sections.tsx'

/** What can be moved while a clip is made, and the recipe of the clip on show. */
export function GenerateInspector() {
  const problems = useFieldProblems()
  const pipeline = useDraft((draft) => draft.pipeline)
  const { shown } = usePlace('generate')
  const clip = useStudio((state) => (shown?.kind === 'result' ? pictureById(state, shown.id) : undefined))
  const embedding = useStudio((state) => (shown?.kind === 'result' ? embeddingById(state, shown.id) : undefined))
  const live = sectionsOf(pipeline).filter((name) => liveSections.has(name))
  return (
    <div className="inspector scroll">
      {live.map((name) => {
        const Part = sections[name]
        return <Part key={name} problems={problems} />
      })}
      {clip && <ClipInspector clip={clip} />}
      {embedding && <EmbeddingInspector embedding={embedding} />}
      {!clip && !embedding && live.length === 0 && (
        <p className="inspector-empty">The recipe of what is shown stands here.</p>
      )}
    </div>
  )
}
