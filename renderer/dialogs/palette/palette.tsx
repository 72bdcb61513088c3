import { Dialog } from '@base-ui/react/dialog'
import { Search } from 'lucide-react'
import { useState } from 'react'
import { setView, useView } from '#renderer/store/view.ts'
import { Keys } from '#renderer/ui/keys.tsx'
import { commands, type Command } from '#renderer/shell/commands.ts'

export function Palette() {
  const open = useView((state) => state.paletteOpen)
  return (
    <Dialog.Root open={open} onOpenChange={(next) => setView({ paletteOpen: next })}>
      <Dialog.Portal>
        <Dialog.Backdrop className="scrim" />
        <Dialog.Viewport className="dialog-viewport" data-place="top">
          <Dialog.Popup className="dialog palette" aria-label="Commands">
            <PaletteList />
          </Dialog.Popup>
        </Dialog.Viewport>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

function PaletteList() {
  const [query, setQuery] = useState('')
  const [at, setAt] = useState(0)
  const found = commands.filter(
    (command) => command.id !== 'palette' && command.available?.() !== false && matches(command, query),
  )
  const current = found[Math.min(at, found.length - 1)]
  const run = (command: Command | undefined): void => {
    if (!command) return
    setView({ paletteOpen: false })
    // After the dialog has given the focus back, or it would take it from what the command opens.
    setTimeout(command.perform)
  }
  const keys: Record<string, () => void> = {
    ArrowDown: () => setAt((before) => Math.min(found.length - 1, before + 1)),
    ArrowUp: () => setAt((before) => Math.max(0, before - 1)),
    Enter: () => run(current),
  }
  return (
    <>
      <div className="palette-search">
        <Search size={15} aria-hidden="true" />
        <input
          role="combobox"
          aria-label="Search commands"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={current && `palette-${current.id}`}
          placeholder="Search commands"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value)
            setAt(0)
          }}
          onKeyDown={(event) => {
            const act = keys[event.key]
            if (!act) return
            event.preventDefault()
            act()
          }}
        />
      </div>
      <div id="palette-list" role="listbox" aria-label="Commands" className="palette-list scroll">
        {found.map((command) => (
          <div
            key={command.id}
            id={`palette-${command.id}`}
            role="option"
            aria-selected={command === current}
            className="palette-item"
            data-highlighted={command === current || undefined}
            ref={(element) => {
              if (command === current) element?.scrollIntoView({ block: 'nearest' })
            }}
            onPointerMove={() => setAt(found.indexOf(command))}
            onClick={() => run(command)}
          >
            <command.icon size={14} aria-hidden="true" />
            {command.name}
            {command.shortcut && <Keys shortcut={command.shortcut} />}
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="palette-none">No command has these words in its name.</p>}
    </>
  )
}

const matches = (command: Command, query: string): boolean =>
  query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => command.name.toLowerCase().includes(word))
