import { useState } from 'react'
import { toProblem } from '#app/contract/errors.ts'
import type { ModelEntry } from '#app/contract/models.ts'
import { callHost } from '#renderer/store/host.ts'
import { Button } from '#renderer/ui/button.tsx'
import { FieldProblem } from '#renderer/ui/row.tsx'
import { tell } from '#renderer/store/toasts.ts'

/** Writes the motion modules of a model as a MotionAdapter folder of its own, which is then among the models. */
export function SaveMotion({ model, adapter }: { model: ModelEntry; adapter: ModelEntry | undefined }) {
  const [name, setName] = useState<string | null>(null)
  const [saving, setSaving] = useState(false)
  const [problem, setProblem] = useState<string>()
  const save = async (): Promise<void> => {
    setSaving(true)
    try {
      const choice = { model: model.id, motionAdapter: adapter?.id ?? null, name: name ?? '' }
      const { location } = await callHost((host) => host.saveMotionModules(choice))
      tell('success', 'Motion modules saved', location)
      setName(null)
    } catch (error) {
      setProblem(toProblem(error).message)
    }
    setSaving(false)
  }
  if (name === null)
    return (
      <div>
        <Button size="small" onClick={() => setName('my-motion')}>
          Save motion modules…
        </Button>
      </div>
    )
  return (
    <>
      <form
        className="folder-add"
        onSubmit={(event) => {
          event.preventDefault()
          void save()
        }}
      >
        <input
          className="input"
          aria-label="Name of the folder"
          value={name}
          maxLength={80}
          spellCheck={false}
          onChange={(event) => {
            setName(event.target.value)
            setProblem(undefined)
          }}
        />
        <Button type="submit" disabled={saving || !name.trim()}>
          {saving ? 'Saving' : 'Save'}
        </Button>
        <Button variant="ghost" onClick={() => setName(null)}>
          Cancel
        </Button>
      </form>
      {problem ? (
        <FieldProblem message={problem} />
      ) : (
        <p className="muted">A MotionAdapter folder of this name, among your models. diffusers opens it too.</p>
      )}
    </>
  )
}
