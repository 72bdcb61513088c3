import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { compare, readTensors } from '../parity/case.ts'
import { child } from './child.ts'
import { demoQuality } from './demo-quality.ts'
import { startPeer, type Peer } from './peer.ts'

/**
 * Races full-size models against the PyTorch reference, both sides in one run and in turn, on the same inputs and threads.
 *
 *   npm run bench -- --checkpoints DIR --reference reference.py --python PYTHON [--case NAME]... [--rounds N] [--threads N]
 *
 * Prints a table of medians in Markdown. The outputs are compared before any time is taken.
 */

const agreement = 1e-4

type Row = { name: string; ours: Figures; theirs: Figures; ratio: number; apart: string }
type Figures = { ms: number; firstSeconds: number; peak: number; anonymous: number }

async function race(
  name: string,
  options: { folder: string; python: string; reference: string; rounds: number; threads: number },
): Promise<Row> {
  const work = await mkdtemp(join(tmpdir(), 'frameloom-bench-'))
  const output = (side: string): string => join(work, `${side}.safetensors`)
  const inputs = output('theirs').replace('.safetensors', '.inputs.safetensors')
  const start = async (side: 'ours' | 'theirs'): Promise<{ peer: Peer; firstSeconds: number }> => {
    const args = [name, options.folder, String(options.threads)]
    const peer =
      side === 'ours'
        ? await startPeer(process.execPath, [process.argv[1]!, 'child', ...args, inputs])
        : await startPeer(options.python, [options.reference, ...args])
    const { ms } = await peer.ask('run')
    await peer.ask(`save ${output(side)}`)
    return { peer, firstSeconds: peer.startSeconds + ms! / 1000 }
  }
  try {
    const theirs = await start('theirs')
    const ours = await start('ours')
    const verdict = compare(await readTensors(output('ours')), await readTensors(output('theirs')), agreement)
    if (verdict.state !== 'PASS') throw new Error(`${name}: the outputs differ: ${verdict.figure}`)

    const times: [number, number][] = []
    for (let round = 0; round < options.rounds; round++)
      times.push([(await ours.peer.ask('run')).ms!, (await theirs.peer.ask('run')).ms!])
    const figures = async ({ peer, firstSeconds }: typeof ours, column: 0 | 1): Promise<Figures> => ({
      ms: median(times.map((pair) => pair[column])),
      firstSeconds,
      peak: (await peer.ask('rss')).peak_mib!,
      anonymous: peer.anonymousPeak(),
    })
    const row = {
      name,
      ours: await figures(ours, 0),
      theirs: await figures(theirs, 1),
      ratio: median(times.map(([a, b]) => b / a)),
      apart: verdict.figure,
    }
    await Promise.all([ours.peer.close(), theirs.peer.close()])
    return row
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function table(rows: readonly Row[]): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(2)
  const lines = rows.map(({ name, ours, theirs, ratio, apart }) =>
    [
      name,
      `${seconds(ours.ms)} / ${seconds(theirs.ms)} s`,
      `${ratio.toFixed(2)}x`,
      `${ours.firstSeconds.toFixed(1)} / ${theirs.firstSeconds.toFixed(1)} s`,
      `${ours.peak} / ${theirs.peak} MiB`,
      `${ours.anonymous} / ${theirs.anonymous} MiB`,
      apart,
    ].join(' | '),
  )
  return [
    '| case | forward, ours / reference | reference : ours | load to first output | peak memory | anonymous memory | apart |',
    '|---|---|---|---|---|---|---|',
    ...lines.map((line) => `| ${line} |`),
  ].join('\n')
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      checkpoints: { type: 'string' },
      reference: { type: 'string' },
      python: { type: 'string', default: 'python3' },
      case: { type: 'string', multiple: true },
      rounds: { type: 'string', default: '5' },
      threads: { type: 'string', default: String(availableParallelism()) },
    },
  })
  if (!values.checkpoints || !values.reference)
    throw new Error(
      'usage: npm run bench -- --checkpoints DIR --reference reference.py [--python PYTHON] [--case NAME] [--rounds N] [--threads N]',
    )
  const rows: Row[] = []
  for (const name of values.case ?? ['timesformer', 'unet-motion']) {
    const folder = resolve(values.checkpoints, name)
    if (!existsSync(folder)) throw new Error(`There is no checkpoint ${folder}.`)
    rows.push(
      await race(name, {
        folder,
        python: values.python,
        reference: resolve(values.reference),
        rounds: Number(values.rounds),
        threads: Number(values.threads),
      }),
    )
    console.error(table(rows.slice(-1)).split('\n').at(-1))
  }
  console.log(table(rows))
}

const [word, name, folder, threads, inputs] = process.argv.slice(2)
if (word === 'child') await child(name!, folder!, Number(threads), inputs!)
else if (word === 'demo')
  await demoQuality(name ?? 'resources/demo-models', {
    seeds: 4,
    latentsFile: process.env.LATENTS_OUT,
    framesFile: process.env.FRAMES_IN,
  })
else await main()
