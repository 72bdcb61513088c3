import { Autocomplete } from '@base-ui/react/autocomplete'
import { FileDigit, Film, Image, Layers, Search, Tags } from 'lucide-react'
import { useMemo } from 'react'
import { commandIds } from '#app/contract/commands.ts'
import type { ProcessorMap } from '#app/contract/processor-maps.ts'
import type { Result } from '#app/contract/results.ts'
import { setAttention } from '#renderer/actions/attention.ts'
import { useCommands, type Command } from '#renderer/parts/commands.tsx'
import { useStudio } from '#renderer/store/studio.ts'
import { closeDialog, openResult, useDialog } from '#renderer/store/view.ts'
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

/** What can be chosen: a command, or what the user has made. */
type Entry = Pick<Command, 'name' | 'icon' | 'perform'> & { id: string; key?: string | undefined; isOwn?: boolean }

function PaletteList() {
  const commands = useCommands()
  const results = useStudio((state) => state.results)
  const maps = useStudio((state) => state.processorMaps)
  const offered = useMemo(
    (): Entry[] => [
      ...commandIds.map((id) => commands[id]).filter(({ id, available }) => id !== 'palette' && available()),
      ...maps.map(entryOfMap),
      ...results.map(entryOfResult),
    ],
    [commands, maps, results],
  )
  return (
    <Autocomplete.Root
      inline
      open
      items={offered}
      itemToStringValue={(entry: Entry) => entry.name}
      filter={matches}
      limit={60}
      autoHighlight="always"
      keepHighlight
    >
      <div className="palette-search">
        <Search size={15} aria-hidden="true" />
        <Autocomplete.Input aria-label="Search commands" placeholder="Search commands, clips and processor maps" />
      </div>
      <Autocomplete.Empty>
        <p className="palette-none">No command, clip or processor map has these words in its name.</p>
      </Autocomplete.Empty>
      <Autocomplete.List className="palette-list scroll" aria-label="Commands">
        {(entry: Entry) => (
          <Autocomplete.Item key={entry.id} value={entry} className="palette-item" onClick={() => run(entry)}>
            <entry.icon size={14} aria-hidden="true" />
            <span className="palette-name">{entry.name}</span>
            {entry.key && <Keys shortcut={entry.key} />}
          </Autocomplete.Item>
        )}
      </Autocomplete.List>
    </Autocomplete.Root>
  )
}

const icons = { clip: Film, still: Image, embedding: FileDigit, classification: Tags } as const

const entryOfResult = (result: Result): Entry => ({
  id: result.id,
  name: `Show ${result.kind} “${result.title}”${'recipe' in result ? `, seed ${result.recipe.settings.seed}` : ''}`,
  icon: icons[result.kind],
  perform: () => openResult(result),
  isOwn: true,
})

const entryOfMap = ({ name, processors }: ProcessorMap): Entry => ({
  id: `map ${name}`,
  name: `Use processor map “${name}”`,
  icon: Layers,
  perform: () => setAttention(processors),
  isOwn: true,
})

function run({ perform }: Entry): void {
  closeDialog()
  // After the dialog has given the focus back, or it would take it from what the command opens.
  setTimeout(perform)
}

/** Without a word the commands are enough: a library may have thousands. */
const matches = ({ name, isOwn }: Entry, query: string): boolean =>
  (!isOwn || query.trim() !== '') &&
  query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => name.toLowerCase().includes(word))
