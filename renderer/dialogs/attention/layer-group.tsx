import type { AttnProcessor, AttnProcessorMap } from '#app/contract/attn-processors.ts'
import { differing, layerName, sameProcessor, type LayerGroup } from '#renderer/store/processor-map.ts'
import { ProcessorChoice } from './processor-choice.tsx'

type LayerGroupRowsProps = {
  group: LayerGroup
  map: AttnProcessorMap
  defaults: AttnProcessorMap
  onChange: (layers: readonly string[], processor: AttnProcessor | null) => void
}

export function LayerGroupRows({ group: { title, paths }, map, defaults, onChange }: LayerGroupRowsProps) {
  const own = Object.fromEntries(paths.map((path) => [path, defaults[path]!]))
  const changed = differing(map, own).length
  return (
    <section className="layer-group" aria-label={title}>
      <div className="layer-group-head">
        <h3>{title}</h3>
        {changed > 0 && (
          <span className="badge" data-tone="warp">
            {changed} changed
          </span>
        )}
        <ProcessorChoice label={`All of ${title}`} layers={paths} map={map} defaults={defaults} onChange={onChange} />
      </div>
      {paths.map((path) => (
        <div key={path} className="layer" data-changed={sameProcessor(map[path]!, defaults[path]!) ? undefined : ''}>
          <code title={path}>{layerName(path)}</code>
          <ProcessorChoice
            label={path.replace(/\.processor$/, '')}
            layers={[path]}
            map={map}
            defaults={defaults}
            onChange={onChange}
          />
        </div>
      ))}
    </section>
  )
}
