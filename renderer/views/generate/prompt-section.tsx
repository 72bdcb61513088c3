import { TriangleAlert } from 'lucide-react'
import { pipelineOf } from '#app/contract/pipelines.ts'
import { foreignSyntax } from '#app/media/prompt-syntax.ts'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { usePlace } from '#renderer/store/view.ts'
import { PromptText } from './prompt-text.tsx'

export function PromptSection({ problems }: { problems: FieldProblems }) {
  const { prompt, negativePrompt, promptSyntax, pipeline } = useDraft((draft) => draft)
  const { makes, settings } = pipelineOf(pipeline)
  const syntax = 'promptSyntax' in settings.shape ? promptSyntax : 'plain'
  const foreign = [prompt, negativePrompt].flatMap((text) => foreignSyntax(text, syntax))
  const notes = [...new Set([...foreign, ...useRunNotes()])]
  return (
    <section className="section section-body form-prompts" aria-label="Prompts">
      <PromptText
        label="Prompt"
        field="prompt"
        problem={problems.prompt}
        value={prompt}
        rows={3}
        placeholder={makes === 'clip' ? 'What the clip shows, and how it moves' : 'What the picture shows'}
        onChange={(value) => editDraft({ prompt: value })}
      />
      {'negativePrompt' in settings.shape && (
        <PromptText
          label="Negative prompt"
          field="negativePrompt"
          problem={problems.negativePrompt}
          value={negativePrompt}
          rows={1}
          placeholder="What to keep out of it"
          onChange={(value) => editDraft({ negativePrompt: value })}
        />
      )}
      {notes.map((note) => (
        <p key={note} className="run-note">
          <TriangleAlert size={12} aria-hidden="true" />
          {note}
        </p>
      ))}
    </section>
  )
}

/** Warnings of the run on show, such as text that did not fit. */
function useRunNotes(): readonly string[] {
  const { shown } = usePlace('generate')
  const job = useStudio((state) =>
    state.jobs.find((entry) =>
      shown?.kind === 'job' ? entry.id === shown.id : shown !== null && entry.resultId === shown.id,
    ),
  )
  return job?.notes ?? []
}
