import { useEffect, useState } from 'react'
import { toProblem } from '#app/contract/errors.ts'
import type { LoadReport, LoadReportPart } from '#app/contract/load-report.ts'
import type { ModelEntry } from '#app/contract/models.ts'
import type { ParameterLists } from '#app/contract/parameter-lists.ts'
import { callHost } from '#renderer/store/host.ts'
import { adaptersFor } from '#app/contract/pipelines/text-to-video.ts'
import { runningLive, studioStore, useStudio } from '#renderer/store/studio.ts'
import { bytesText } from '#renderer/ui/format.ts'
import { SaveMotion } from './save-motion.tsx'

type Details = { report: LoadReport; motion: { lists: ParameterLists; adapter: string | null } | null }
type Read = Details | { problem: string } | null

/** What the files of a model hold, read when it is asked for. */
export function ModelDetails({ model }: { model: ModelEntry }) {
  const [read, setRead] = useState<Read>(null)
  const busy = useStudio((state) => !!runningLive(state))
  useEffect(() => {
    let wanted = true
    readDetails(model).then(
      (details) => wanted && setRead(details),
      (error: unknown) => wanted && setRead({ problem: toProblem(error).message }),
    )
    return () => {
      wanted = false
    }
  }, [model])
  if (!read)
    return (
      <p className="muted" role="status">
        {busy ? 'A clip is being made. The files are read when it is done.' : 'Reading the files.'}
      </p>
    )
  if ('problem' in read) return <p className="found-problem">{read.problem}</p>
  const { report, motion } = read
  return (
    <>
      <p>
        {report.kind}
        {report.notes.length > 0 && `: ${report.notes.join('; ')}`}
      </p>
      <Parts parts={report.parts} />
      {report.parts
        .flatMap((part) => faultsOf(part))
        .map((fault) => (
          <p key={fault} className="found-problem">
            {fault}
          </p>
        ))}
      {report.unused.length > 0 && <p className="muted">Of no part: {listed(report.unused)}</p>}
      {motion && (
        <p>
          When its motion is trained{motion.adapter && ` with ${motion.adapter}`}:{' '}
          {counted(motion.lists.frozen, motion.lists.frozenParameters)} stay,{' '}
          {counted(motion.lists.trainable, motion.lists.trainableParameters)} may change.
        </p>
      )}
      <ul className="report-files">
        {report.files.map(({ path, bytes, sha256 }) => (
          <li key={path}>
            <span title={path}>{path.split(/[\\/]/).slice(-2).join('/')}</span>
            <span className="muted">{bytesText(bytes)}</span>
            <code>{sha256}</code>
          </li>
        ))}
      </ul>
      {(motion ?? model.kind === 'motion-adapter') && !model.problem && (
        <SaveMotion model={model} adapter={adapterOf(model)} />
      )}
    </>
  )
}

function Parts({ parts }: { parts: readonly LoadReportPart[] }) {
  return (
    <table className="report-parts">
      <thead>
        <tr>
          <th>Part</th>
          <th>Architecture</th>
          <th>Precision</th>
          <th>Parameters</th>
          <th>Missing</th>
          <th>Unused</th>
        </tr>
      </thead>
      <tbody>
        {parts.map((part) => (
          <tr key={part.part}>
            <td>{part.part || 'model'}</td>
            <td>{part.architecture}</td>
            <td>{part.precision}</td>
            <td>{millions(part.parameters)}</td>
            <td>{part.missing.length + part.wrong.length}</td>
            <td>{part.unused.length}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const adapterOf = (model: ModelEntry): ModelEntry | undefined =>
  adaptersFor(model, studioStore.getState().models).adapters[0]

async function readDetails(model: ModelEntry): Promise<Details> {
  const report = await callHost((host) => host.inspectModel({ id: model.id }))
  const adapter = adapterOf(model)
  if (model.kind !== 'stable-diffusion' || model.problem || (model.needsMotionAdapter && !adapter))
    return { report, motion: null }
  const pair = { model: model.id, motionAdapter: adapter?.id ?? null }
  const lists = await callHost((host) => host.freezeUnet2d(pair))
  return { report, motion: { lists, adapter: adapter?.name ?? null } }
}

const mostShown = 12
const listed = (keys: readonly string[]): string =>
  keys.slice(0, mostShown).join(', ') + (keys.length > mostShown ? ` and ${keys.length - mostShown} more` : '')

const millions = (count: number): string => `${(count / 1e6).toFixed(2)} M`
const counted = (weights: readonly string[], parameters: number): string =>
  `${weights.length} weights (${millions(parameters)})`

const faultsOf = ({ part, missing, wrong, unused, problem }: LoadReportPart): string[] => {
  const name = part || 'The model'
  return [
    ...(missing.length > 0 ? [`${name} lacks ${listed(missing)}.`] : []),
    ...wrong,
    ...(unused.length > 0 ? [`${name} has no place for ${listed(unused)}.`] : []),
    ...(problem ? [problem.message] : []),
  ]
}
