import type { Proposal, TuneReport } from '#app/contract/profile.ts'
import { takeProposal } from '#renderer/actions/tuning.ts'
import { useDraft } from '#renderer/store/draft.ts'
import { sameTuning, tuningOf } from '#renderer/store/tuning.ts'
import { Button } from '#renderer/ui/button.tsx'
import { bytesText, timeText } from '#renderer/ui/format.ts'
import { Bar } from './bar.tsx'
import { chunkingWords, processorWords, shapeWords } from './words.ts'

/** The proposals of `autotune`, the fastest first. */
export function Proposals({ report }: { report: TuneReport }) {
  const { proposals, settings, layers, shapes } = report
  const most = {
    milliseconds: Math.max(...proposals.map(({ measured }) => measured.milliseconds)),
    peakBytes: Math.max(...proposals.map(({ measured }) => measured.peakBytes)),
  }
  return (
    <section className="tuning-part" aria-label="Proposals">
      <h3>
        Proposals <span className="muted">{shapeWords(settings)}</span>
      </h3>
      <table className="tuning-table">
        <thead>
          <tr>
            <th>Proposal</th>
            <th>Time of a step</th>
            <th>Memory</th>
            <th>Attention</th>
            <th>Chunking</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {proposals.map((proposal) => (
            <ProposalRow key={proposal.name} proposal={proposal} most={most} />
          ))}
        </tbody>
      </table>
      <p className="muted">
        {layers} layers of {shapes} shapes were measured, then each proposal as a whole. Memory is that of the tensors
        that are alive at once, beside {bytesText(report.weightBytes)} of weights.
      </p>
    </section>
  )
}

function ProposalRow({ proposal, most }: { proposal: Proposal; most: Proposal['measured'] }) {
  const { name, measured, predicted, attnProcessor, fits } = proposal
  const inUse = useDraft((draft) => sameTuning(proposal, tuningOf(draft)))
  const foreseen = `Predicted: ${timeText(predicted.milliseconds)}, ${bytesText(predicted.peakBytes)}`
  return (
    <tr title={foreseen}>
      <th scope="row">
        {name}
        {!fits && <span className="tuning-unfit">over the limit</span>}
      </th>
      <td>
        <Bar tone="time" part={measured.milliseconds / most.milliseconds}>
          {timeText(measured.milliseconds)}
        </Bar>
      </td>
      <td>
        <Bar tone="memory" part={measured.peakBytes / most.peakBytes}>
          {bytesText(measured.peakBytes)}
        </Bar>
      </td>
      <td>{processorWords(attnProcessor)}</td>
      <td>{chunkingWords(proposal)}</td>
      <td>
        <Button size="small" aria-label={`Use ${name}`} disabled={inUse} onClick={() => void takeProposal(proposal)}>
          {inUse ? 'In use' : 'Use this'}
        </Button>
      </td>
    </tr>
  )
}
