import { useFieldProblems } from '#renderer/store/field-problems.ts'
import { clipById, useStudio } from '#renderer/store/studio.ts'
import { usePlace } from '#renderer/store/view.ts'
import { ClipInspector } from './clip-inspector.tsx'
import { liveSections, sections, textToVideoSections } from './sections.tsx'

/** What can be moved while a clip is made, and the recipe of the clip on show. */
export function GenerateInspector() {
  const problems = useFieldProblems()
  const { shown } = usePlace('generate')
  const clip = useStudio((state) => (shown?.kind === 'result' ? clipById(state, shown.id) : undefined))
  return (
    <div className="inspector scroll">
      {textToVideoSections
        .filter((name) => liveSections.has(name))
        .map((name) => {
          const Part = sections[name]
          return <Part key={name} problems={problems} />
        })}
      {clip && <ClipInspector clip={clip} />}
    </div>
  )
}
