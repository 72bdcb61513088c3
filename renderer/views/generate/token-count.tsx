import { useEffect, useState } from 'react'
import { pipelineOf } from '#app/contract/pipelines.ts'
import { familyOf, promptTokens } from '#app/contract/pipelines/pixart.ts'
import { withNamed } from '#app/contract/prompts/names.ts'
import type { TokenCount, TokenQuestion } from '#app/contract/prompts/token-count.ts'
import type { ModelEntry } from '#app/contract/models.ts'
import { countTokens } from '#renderer/actions/count-tokens.ts'
import { useDraft, type Draft } from '#renderer/store/draft.ts'
import { useStudio } from '#renderer/store/studio.ts'

/** Milliseconds after the last key. */
const pause = 150

/** How long a text of the form is, as a run of it would read it; undefined while that is not known. */
export function useTokenCount(text: string): TokenCount | undefined {
  const models = useStudio((state) => state.models)
  const ready = useStudio((state) => state.connection === 'open' && state.engine?.state === 'ready')
  const question = useDraft((draft) => questionOf(draft, models, text))
  const [answer, setAnswer] = useState<{ question: string; count: TokenCount }>()
  useEffect(() => {
    if (question === null || !ready) return undefined
    let over = false
    const ask = async (): Promise<void> => {
      const [count] = await countTokens(JSON.parse(question) as TokenQuestion)
      if (count && !over) setAnswer({ question, count })
    }
    const timer = setTimeout(() => void ask(), pause)
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [question, ready])
  return answer?.question === question ? answer.count : undefined
}

/** All that the count depends on, as JSON, so that nothing is asked for twice; null where there is nothing to count. */
function questionOf(draft: Draft, models: readonly ModelEntry[], text: string): string | null {
  const record = pipelineOf(draft.pipeline)
  const has = (field: keyof Draft): boolean => field in record.settings.shape
  // A prior is what reads texts, where there is one.
  const model = models.find(({ id }) => id === ('prior' in record.models ? draft.prior : draft.model))
  if (text.trim() === '' || !model || model.problem) return null
  const question: TokenQuestion = {
    model: model.id,
    texts: [text],
    syntax: has('promptSyntax') ? draft.promptSyntax : 'plain',
    steps: text.includes('[') ? draft.numInferenceSteps : 1,
    maxLength: has('maxSequenceLength') ? (draft.maxSequenceLength ?? promptTokens[familyOf(model)]) : null,
    cleanCaption: has('cleanCaption') ? draft.cleanCaption : null,
    embeddings: has('embeddings') ? withNamed(draft, models).embeddings : [],
  }
  return JSON.stringify(question)
}

/** Beside the name of a text: how many tokens it has, and how many there is room for. */
export const TokenNumbers = ({ tokens, room }: TokenCount) => (
  <span className="token-count" data-over={tokens > room || undefined}>
    {tokens}/{room}
    <span className="sr"> tokens</span>
  </span>
)

/** More are not listed. */
const listed = 5

/** Beneath a text: where its parts begin, or what of it is left out. */
export function ChunkBorders({ begins, tokens, room }: TokenCount) {
  if (tokens > room) return <span>Left out from “{begins[0]} …” on</span>
  return (
    <ol className="chunks" aria-label="Read in parts" start={2}>
      {begins.slice(0, listed).map((words, i) => (
        <li key={i}>
          <span>Part {i + 2}</span> {words} …
        </li>
      ))}
      {begins.length > listed && <li>and {begins.length - listed} more</li>}
    </ol>
  )
}
