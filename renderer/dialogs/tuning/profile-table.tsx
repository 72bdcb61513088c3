import { useState } from 'react'
import type { LayerProfile, ModelProfile, PartProfile } from '#app/contract/profile.ts'
import { bytesText, percent, timeText } from '#renderer/ui/format.ts'
import { Segmented } from '#renderer/ui/segmented.tsx'
import { Bar } from './bar.tsx'
import { processorWords, shapeWords } from './words.ts'

/** Time and memory of each block, or of each layer. */
export function ProfileTable({ profile }: { profile: ModelProfile }) {
  const [parts, setParts] = useState<'blocks' | 'layers'>('blocks')
  const rows: readonly (PartProfile | LayerProfile)[] = profile[parts]
  const longest = Math.max(...rows.map(({ milliseconds }) => milliseconds))
  const most = Math.max(...rows.map(({ peakBytes }) => peakBytes))
  return (
    <section className="tuning-part" aria-label="Profile">
      <div className="tuning-part-head">
        <h3>
          Profile{' '}
          <span className="muted">
            {shapeWords(profile.settings)}: {timeText(profile.milliseconds)}, {bytesText(profile.peakBytes)} a step
          </span>
        </h3>
        <Segmented
          label="Parts"
          value={parts}
          choices={[
            { value: 'blocks', label: 'Blocks' },
            { value: 'layers', label: 'Layers' },
          ]}
          onChange={setParts}
        />
      </div>
      <table className="tuning-table">
        <thead>
          <tr>
            <th>{parts === 'blocks' ? 'Block' : 'Layer'}</th>
            <th>Time</th>
            <th>Share</th>
            <th>Memory</th>
            <th>Own</th>
            {parts === 'layers' && <th>Processor</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.path}>
              <th scope="row">
                <code>{row.path}</code>
              </th>
              <td>
                <Bar tone="time" part={row.milliseconds / longest}>
                  {timeText(row.milliseconds)}
                </Bar>
              </td>
              <td>{percent(row.share)}</td>
              <td>
                <Bar tone="memory" part={row.peakBytes / most}>
                  {bytesText(row.peakBytes)}
                </Bar>
              </td>
              <td>{bytesText(row.ownBytes)}</td>
              {'kind' in row && <td>{row.kind === 'attention' ? processorWords(row.processor) : 'Feed-forward'}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      <p className="muted">
        Memory is that of all tensors that are alive while a part runs, beside {bytesText(profile.weightBytes)} of
        weights; own is that of those which it makes itself.
      </p>
    </section>
  )
}
