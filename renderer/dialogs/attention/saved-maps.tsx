import { Check, Pencil, Trash2, X } from 'lucide-react'
import { useState } from 'react'
import type { AttnChoice } from '#app/contract/attn-processors.ts'
import type { ProcessorMap } from '#app/contract/processor-maps.ts'
import { deleteMap, renameMap } from '#renderer/actions/attention.ts'
import { sameChoice } from '#renderer/store/processor-map.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { IconButton } from '#renderer/ui/button.tsx'

type SavedMapsProps = { chosen: AttnChoice | null; onLoad: (choice: AttnChoice | null) => void }

/** The default and the maps that were saved, to be loaded into the editor. */
export function SavedMaps({ chosen, onLoad }: SavedMapsProps) {
  const maps = useStudio((state) => state.processorMaps)
  const [renaming, setRenaming] = useState<string | null>(null)
  return (
    <ul className="saved-maps scroll" aria-label="Saved maps">
      <li data-chosen={chosen === null ? '' : undefined}>
        <button type="button" onClick={() => onLoad(null)}>
          Default
        </button>
      </li>
      {maps.map((map) =>
        map.name === renaming ? (
          <Rename key={map.name} map={map} onDone={() => setRenaming(null)} />
        ) : (
          <li key={map.name} data-chosen={sameChoice(chosen, map.processors) ? '' : undefined}>
            <button type="button" onClick={() => onLoad(map.processors)}>
              {map.name}
            </button>
            <IconButton label={`Rename ${map.name}`} size="small" onClick={() => setRenaming(map.name)}>
              <Pencil size={12} aria-hidden="true" />
            </IconButton>
            <IconButton label={`Delete ${map.name}`} size="small" onClick={() => void deleteMap(map)}>
              <Trash2 size={12} aria-hidden="true" />
            </IconButton>
          </li>
        ),
      )}
    </ul>
  )
}

function Rename({ map, onDone }: { map: ProcessorMap; onDone: () => void }) {
  const [name, setName] = useState(map.name)
  return (
    <li>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void renameMap(map.name, name).then(onDone)
        }}
      >
        <input
          className="input"
          aria-label={`New name of ${map.name}`}
          value={name}
          maxLength={80}
          ref={(input) => input?.focus()}
          onChange={(event) => setName(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return
            // The dialog would close.
            event.stopPropagation()
            onDone()
          }}
        />
        <IconButton label="Rename" size="small" type="submit">
          <Check size={13} aria-hidden="true" />
        </IconButton>
        <IconButton label="Keep the name" size="small" onClick={onDone}>
          <X size={13} aria-hidden="true" />
        </IconButton>
      </form>
    </li>
  )
}
