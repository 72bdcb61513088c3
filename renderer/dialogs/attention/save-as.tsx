import { Popover } from '@base-ui/react/popover'
import { useState } from 'react'
import type { AttnChoice } from '#app/contract/attn-processors.ts'
import { sameName } from '#app/contract/processor-maps.ts'
import { saveMap } from '#renderer/actions/attention.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { Button } from '#renderer/ui/button.tsx'
import { usePopups } from '#renderer/ui/popups.ts'
import { FieldProblem } from '#renderer/ui/row.tsx'

/** Keeps a map under a name; a name that is there already is replaced only by a button that says so. */
export function SaveAs({ choice }: { choice: AttnChoice }) {
  const maps = useStudio((state) => state.processorMaps)
  const popups = usePopups()
  const [open, setOpen] = useState(false)
  const [name, setName] = useState('')
  const [problem, setProblem] = useState<string>()
  const taken = maps.some((map) => sameName(map.name, name.trim()))
  const save = async (): Promise<void> => {
    const wrong = await saveMap(name.trim(), choice, taken)
    setProblem(wrong)
    if (wrong !== undefined) return
    setOpen(false)
    setName('')
  }
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger render={<Button />}>Save as…</Popover.Trigger>
      <Popover.Portal container={popups}>
        <Popover.Positioner className="popup-positioner" side="top" align="end" sideOffset={6}>
          <Popover.Popup className="popup save-as">
            <form
              onSubmit={(event) => {
                event.preventDefault()
                if (name.trim()) void save()
              }}
            >
              <input
                className="input"
                aria-label="Name"
                placeholder="Name, such as: low memory"
                value={name}
                maxLength={80}
                onChange={(event) => {
                  setName(event.target.value)
                  setProblem(undefined)
                }}
              />
              <Button type="submit" variant="primary" disabled={!name.trim()}>
                {taken ? 'Replace' : 'Save'}
              </Button>
            </form>
            {problem && <FieldProblem message={problem} />}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}
