import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { difference, readTensors } from '#app/parity/case.ts'
import type { Variant } from './cases.ts'
import { startPeer, type Peer } from './peer.ts'
import { referenceScript } from './set-up.ts'
import { cosine, median } from './statistics.ts'

/** One side: a configuration of ours, or the reference in one of its types. */
export type Side =
  | { readonly title: string; readonly ours: Variant }
  | { readonly title: string; readonly reference: 'float32' | 'bfloat16' }

export type Figures = {
  readonly title: string
  readonly ms: number
  readonly cpuMs: number
  /** The median of the first side's time divided by this one's, of the same round. */
  readonly ratio: number
  readonly cpuRatio: number
  readonly firstSeconds: number
  readonly peakMib: number
  readonly anonymousMib: number
  /** Largest difference to the first side's output, as a part of its largest value, and the cosine to it. */
  readonly apart: number
  readonly cosine: number
}

export type RaceOptions = {
  readonly folder: string
  readonly python: string
  readonly rounds: number
  readonly threads: number
  readonly kernelFile: string
  /** A file of inputs; those of the reference, which then is the first side, without it. */
  readonly inputs?: string
}

/**
 * Runs all sides in turn, in one run, on the same inputs and threads; the first side is what the others are compared
 * with. Where that is the reference in float32, ours in float32 must agree with it: throws otherwise.
 */
export async function race(name: string, sides: readonly Side[], options: RaceOptions): Promise<Figures[]> {
  const { folder, python, threads, rounds, kernelFile } = options
  const work = await mkdtemp(join(tmpdir(), 'frameloom-bench-'))
  const output = (i: number): string => join(work, `${i}.safetensors`)
  const inputs = options.inputs ?? `${output(0)}.inputs`
  const peers: { peer: Peer; firstSeconds: number }[] = []
  const start = (side: Side, i: number): Promise<Peer> =>
    'ours' in side
      ? startPeer(process.execPath, [
          process.argv[1]!,
          'child',
          name,
          folder,
          String(threads),
          inputs,
          JSON.stringify(side.ours),
          kernelFile,
        ])
      : startPeer(python, [
          referenceScript,
          'serve',
          name,
          folder,
          String(threads),
          side.reference,
          ...(i || options.inputs ? [inputs] : []),
        ])
  try {
    for (const [i, side] of sides.entries()) {
      const peer = await start(side, i)
      const { ms } = await peer.ask('run')
      peers.push({ peer, firstSeconds: peer.startSeconds + ms! / 1000 })
      await peer.ask(`save ${output(i)}`)
    }
    const outputs = await Promise.all(sides.map(async (_, i) => (await readTensors(output(i))).output!))
    const apart = outputs.map((tensor) => difference(tensor, outputs[0]!))
    sides.forEach((side, i) => {
      if ('ours' in side && (side.ours.precision ?? 'float32') === 'float32') agree(name, side.title, apart[i]!)
    })

    const times: { ms: number; cpu: number }[][] = []
    for (let round = 0; round < rounds; round++) {
      const row = []
      for (const { peer } of peers) {
        const { ms, cpu_ms: cpu } = await peer.ask('run')
        row.push({ ms: ms!, cpu: cpu! })
      }
      times.push(row)
    }
    const figures: Figures[] = []
    for (const [i, { peer, firstSeconds }] of peers.entries())
      figures.push({
        title: sides[i]!.title,
        ms: median(times.map((row) => row[i]!.ms)),
        cpuMs: median(times.map((row) => row[i]!.cpu)),
        ratio: median(times.map((row) => row[0]!.ms / row[i]!.ms)),
        cpuRatio: median(times.map((row) => row[0]!.cpu / row[i]!.cpu)),
        firstSeconds,
        peakMib: (await peer.ask('rss')).peak_mib!,
        anonymousMib: peer.anonymousPeak(),
        apart: apart[i]!,
        cosine: cosine(outputs[i]!, outputs[0]!),
      })
    return figures
  } finally {
    await Promise.all(peers.map(({ peer }) => peer.close()))
    await rm(work, { recursive: true, force: true })
  }
}

const agreement = 1e-4

function agree(name: string, title: string, apart: number): void {
  if (!(apart <= agreement))
    throw new Error(`${name}, ${title}: the outputs differ by ${apart.toExponential(1)}, more than ${agreement}`)
}
