import { Download, Upload } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { AttnChoice, AttnProcessor, AttnProcessorMap } from '#app/contract/attn-processors.ts'
import { chooseAttentionFile, exportAttention, setAttention } from '#renderer/actions/attention.ts'
import { draftStore } from '#renderer/store/draft.ts'
import { choiceOf, differing, groupsOf, spread } from '#renderer/store/processor-map.ts'
import { closeDialog } from '#renderer/store/view.ts'
import { Button } from '#renderer/ui/button.tsx'
import { plural } from '#renderer/ui/format.ts'
import { LayerGroupRows } from './layer-group.tsx'
import { ProcessorChoice } from './processor-choice.tsx'
import { SaveAs } from './save-as.tsx'
import { SavedMaps } from './saved-maps.tsx'

/** Edits a map over the layers that `defaults` has; the form gets it when it is used. */
export function LayerEditor({ defaults }: { defaults: AttnProcessorMap }) {
  const [{ map, strangers }, setState] = useState(() => spread(draftStore.getState().attnProcessor, defaults))
  const [filter, setFilter] = useState('')
  const shown = useMemo(() => {
    const words = filter.toLowerCase().split(/\s+/)
    return groupsOf(Object.keys(defaults))
      .map(({ title, paths }) => ({
        title,
        paths: paths.filter((path) => words.every((word) => `${title} ${path}`.toLowerCase().includes(word))),
      }))
      .filter(({ paths }) => paths.length > 0)
  }, [defaults, filter])
  const choice = choiceOf(map, defaults)
  const changed = differing(map, defaults)
  const paths = shown.flatMap((group) => group.paths)

  const load = (next: AttnChoice | null): void => setState(spread(next, defaults))
  const set = (layers: readonly string[], processor: AttnProcessor | null): void =>
    setState({
      map: { ...map, ...Object.fromEntries(layers.map((path) => [path, processor ?? defaults[path]!])) },
      strangers: 0,
    })
  return (
    <>
      <div className="attention-body">
        <div className="attention-side">
          <SavedMaps chosen={choice} onLoad={load} />
          <div className="attention-files">
            <Button size="small" variant="ghost" onClick={() => chooseAttentionFile(load)}>
              <Upload size={13} aria-hidden="true" />
              Import
            </Button>
            <Button size="small" variant="ghost" onClick={() => exportAttention(map, 'attention')}>
              <Download size={13} aria-hidden="true" />
              Export
            </Button>
          </div>
        </div>
        <div className="attention-main">
          <div className="attention-tools">
            <input
              className="input"
              type="search"
              aria-label="Filter layers"
              placeholder="Filter, such as: up motion"
              value={filter}
              onChange={(event) => setFilter(event.target.value)}
            />
            <span className="muted" aria-hidden="true">
              {filter ? 'All shown' : 'All layers'}
            </span>
            <ProcessorChoice
              label={filter ? `All ${plural(paths.length, 'layer')} shown` : 'All layers'}
              layers={paths}
              map={map}
              defaults={defaults}
              onChange={set}
            />
          </div>
          <div className="attention-layers scroll">
            {shown.map((group) => (
              <LayerGroupRows key={group.title} group={group} map={map} defaults={defaults} onChange={set} />
            ))}
            {shown.length === 0 && <p className="muted">No layer has all of these words.</p>}
          </div>
        </div>
      </div>
      <footer className="attention-foot">
        <span role="status">
          {changed.length === 0
            ? `All ${Object.keys(defaults).length} layers have their default.`
            : `${changed.length} of ${Object.keys(defaults).length} layers differ from the default.`}
          {strangers > 0 &&
            ` ${plural(strangers, 'layer')} of the map ${strangers === 1 ? 'is' : 'are'} not in this model.`}
        </span>
        {choice && <SaveAs choice={map} />}
        <Button onClick={closeDialog}>Cancel</Button>
        <Button
          variant="primary"
          onClick={() => {
            setAttention(choice)
            closeDialog()
          }}
        >
          Use
        </Button>
      </footer>
    </>
  )
}
