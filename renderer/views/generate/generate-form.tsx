import { useEffect, useRef, type RefObject } from 'react'
import { CommandButton, useCommands } from '#renderer/parts/commands.tsx'
import { useDraft } from '#renderer/store/draft.ts'
import { fieldProblemStore, useFieldProblems } from '#renderer/store/field-problems.ts'
import { activeJobs, useStudio } from '#renderer/store/studio.ts'
import { tell } from '#renderer/store/toasts.ts'
import { Keys } from '#renderer/ui/keys.tsx'
import { liveSections, sections, sectionsOf } from './sections.tsx'
import { PipelineChoice } from './pipeline-choice.tsx'
import './generate.css'

/** `wide`: the live sections stand beside the stage, and not here. */
export function GenerateForm({ wide }: { wide: boolean }) {
  const problems = useFieldProblems()
  const pipeline = useDraft((draft) => draft.pipeline)
  const form = useRef<HTMLFormElement>(null)
  useFocusOnProblem(form)
  return (
    <form className="form" aria-label="Generate" ref={form} onSubmit={(event) => event.preventDefault()}>
      <div className="form-scroll scroll">
        <PipelineChoice />
        {sectionsOf(pipeline)
          .filter((name) => !wide || !liveSections.has(name))
          .map((name) => {
            const Part = sections[name]
            return <Part key={name} problems={problems} />
          })}
      </div>
      <GenerateButton />
    </form>
  )
}

function GenerateButton() {
  const waiting = useStudio((state) => activeJobs(state).length)
  const ready = useStudio((state) => state.connection === 'open' && state.engine?.state !== 'stopped')
  const { key } = useCommands().run
  return (
    <div className="form-foot">
      <CommandButton command="run" variant="primary" size="large" disabled={!ready}>
        {waiting > 0 ? 'Add to queue' : 'Generate'}
        {key && <Keys shortcut={key} />}
      </CommandButton>
    </div>
  )
}

/** Takes the focus to the field that kept a run from starting; a field without a control here is told of instead. */
function useFocusOnProblem(form: RefObject<HTMLFormElement | null>): void {
  useEffect(
    () =>
      fieldProblemStore.subscribe(({ pointed }, before) => {
        if (!pointed || pointed === before.pointed) return
        const control = form.current?.querySelector<HTMLElement>(
          `[data-field="${pointed.field}"] :is(input, textarea, button)`,
        )
        if (control) control.focus()
        else tell('error', 'The settings cannot be run', pointed.message)
      }),
    [form],
  )
}
