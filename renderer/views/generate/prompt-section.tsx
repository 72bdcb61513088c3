import { TriangleAlert } from 'lucide-react'
import { useLayoutEffect, useRef, useState } from 'react'
import { pipelineOf, pipelines } from '#app/contract/pipelines.ts'
import { familyOf, promptTokens } from '#app/contract/pipelines/pixart.ts'
import type { PromptSyntax } from '#app/contract/prompts/syntax.ts'
import { foreignSyntax } from '#app/media/prompt-syntax.ts'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { usePlace } from '#renderer/store/view.ts'
import { Row } from '#renderer/ui/row.tsx'

/** Tokens of a prompt that are read: CLIP's 77 without its own two marks, or what T5 is asked for without its one. */
function usePromptRoom(): number {
  const { pipeline, model, maxSequenceLength } = useDraft((draft) => draft)
  const entry = useStudio((state) => state.models.find(({ id }) => id === model))
  if (!('maxSequenceLength' in pipelineOf(pipeline).settings.shape)) return 75
  return (maxSequenceLength ?? promptTokens[entry ? familyOf(entry) : 'sigma']) - 1
}

/** How the pipeline reads a prompt. */
const usePromptSyntax = (): PromptSyntax =>
  useDraft(({ pipeline, promptSyntax }) =>
    'promptSyntax' in pipelineOf(pipeline).settings.shape ? promptSyntax : 'plain',
  )

export function PromptSection({ problems }: { problems: FieldProblems }) {
  const prompt = useDraft((draft) => draft.prompt)
  const negativePrompt = useDraft((draft) => draft.negativePrompt)
  const pipeline = useDraft((draft) => draft.pipeline)
  const moves = pipelines[pipeline].makes === 'clip'
  const syntax = usePromptSyntax()
  const foreign = [prompt, negativePrompt].flatMap((text) => foreignSyntax(text, syntax))
  const notes = [...new Set([...foreign, ...useRunNotes()])]
  return (
    <section className="section section-body form-prompts" aria-label="Prompts">
      <Row label={<PromptLabel text="Prompt" value={prompt} />} field="prompt" problem={problems.prompt} stacked>
        <GrowingText
          label="Prompt"
          value={prompt}
          rows={3}
          placeholder={moves ? 'What the clip shows, and how it moves' : 'What the picture shows'}
          onChange={(value) => editDraft({ prompt: value })}
        />
      </Row>
      {'negativePrompt' in pipelines[pipeline].settings.shape && (
        <Row
          label={<PromptLabel text="Negative prompt" value={negativePrompt} />}
          field="negativePrompt"
          problem={problems.negativePrompt}
          stacked
        >
          <GrowingText
            label="Negative prompt"
            value={negativePrompt}
            rows={1}
            placeholder="What to keep out of it"
            onChange={(value) => editDraft({ negativePrompt: value })}
          />
        </Row>
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

function PromptLabel({ text, value }: { text: string; value: string }) {
  const tokens = aboutTokens(value)
  const promptRoom = usePromptRoom()
  const over = tokens > promptRoom
  const inChunks = usePromptSyntax() === 'a1111'
  return (
    <>
      {text}
      {tokens > promptRoom * 0.7 && (
        <span className="token-count" data-over={(over && !inChunks) || undefined}>
          {over && inChunks
            ? `about ${tokens} tokens, read in ${Math.ceil(tokens / promptRoom)} parts`
            : `about ${tokens} of ${promptRoom} tokens${over ? ': the end will be left out' : ''}`}
        </span>
      )}
    </>
  )
}

/**
 * A guess: most words are one token, long ones more, and punctuation counts. The engine says what really did not fit.
 */
const aboutTokens = (text: string): number =>
  (text.match(/\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/gu) ?? []).reduce((sum, word) => sum + Math.ceil(word.length / 10), 0)

type GrowingTextProps = {
  label: string
  value: string
  rows: number
  placeholder: string
  onChange: (value: string) => void
}

function GrowingText({ label, value, rows, placeholder, onChange }: GrowingTextProps) {
  const area = useRef<HTMLTextAreaElement>(null)
  // Text that the form put there would mix with what the browser would undo in this field: it is given a new field.
  const [own, setOwn] = useState({ text: value, field: 0, untouched: true })
  if (own.text !== value) setOwn({ text: value, field: own.field + 1, untouched: true })
  useLayoutEffect(() => {
    const element = area.current
    if (!element) return
    element.style.height = 'auto'
    element.style.height = `${element.scrollHeight + 2}px`
  }, [value])
  return (
    <textarea
      key={own.field}
      ref={area}
      className="textarea scroll"
      data-untouched={own.untouched || undefined}
      aria-label={label}
      rows={rows}
      value={value}
      placeholder={placeholder}
      spellCheck
      maxLength={20_000}
      onChange={(event) => {
        setOwn({ ...own, text: event.target.value, untouched: false })
        onChange(event.target.value)
      }}
    />
  )
}
