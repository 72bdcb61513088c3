import { Autocomplete } from '@base-ui/react/autocomplete'
import { Search } from 'lucide-react'
import { commandIds } from '#app/contract/commands.ts'
import { useCommands, type Command } from '#renderer/parts/commands.tsx'
import { closeDialog, useDialog } from '#renderer/store/view.ts'
import { Keys } from '#renderer/ui/keys.tsx'
import { Modal } from '#renderer/ui/modal.tsx'
import './palette.css'

export function Palette() {
  const open = useDialog('palette') !== null
  return (
    <Modal open={open} onClose={closeDialog} className="palette" label="Commands" place="top">
      <PaletteList />
    </Modal>
  )
}

function PaletteList() {
  const commands = useCommands()
  const offered = commandIds.map((id) => commands[id]).filter(({ id, available }) => id !== 'palette' && available())
  return (
    <Autocomplete.Root
      inline
      open
      items={offered}
      itemToStringValue={(command: Command) => command.name}
      filter={matches}
      autoHighlight="always"
      keepHighlight
    >
      <div className="palette-search">
        <Search size={15} aria-hidden="true" />
        <Autocomplete.Input aria-label="Search commands" placeholder="Search commands" />
      </div>
      <Autocomplete.Empty>
        <p className="palette-none">No command has these words in its name.</p>
      </Autocomplete.Empty>
      <Autocomplete.List className="palette-list scroll" aria-label="Commands">
        {(command: Command) => (
          <Autocomplete.Item key={command.id} value={command} className="palette-item" onClick={() => run(command)}>
            <command.icon size={14} aria-hidden="true" />
            {command.name}
            {command.key && <Keys shortcut={command.key} />}
          </Autocomplete.Item>
        )}
      </Autocomplete.List>
    </Autocomplete.Root>
  )
}

function run({ perform }: Command): void {
  closeDialog()
  // After the dialog has given the focus back, or it would take it from what the command opens.
  setTimeout(perform)
}

const matches = ({ name }: Command, query: string): boolean =>
  query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => name.toLowerCase().includes(word))
