import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import { normalValues } from '#app/runtime/kernels/normal-values.ts'
import { cases, type Variant } from './cases.ts'
import { child } from './child.ts'
import { demoQuality } from './demo-quality.ts'
import { race, type Figures, type RaceOptions, type Side } from './race.ts'
import { document, switchSection, table, withSwitchSection } from './report.ts'
import { checkpoint, hasCheckpoint, referencePython } from './set-up.ts'
import { switches } from './switches.ts'

/**
 * Races full-size models against the PyTorch reference, all sides in one run and in turn, on the same inputs and
 * threads, and compares the outputs first. Makes its own Python and checkpoints where none are given.
 *
 *   npm run bench -- [--case NAME]... [--choices] [--rounds N] [--threads N] [--write docs/benchmarks.md]
 *                    [--cache DIR] [--python PYTHON] [--int8] [--bfloat16]
 *
 * `npm run bench -- switch` measures how long the open motion UNet takes to change its processors, chunking and FreeU;
 * `--write` puts that into its section of the file.
 *
 * `npm run bench -- demo [SEEDS]` counts how often the bundled models' clips show what their prompts say.
 */

const reference: Side = { title: 'PyTorch', reference: 'float32' }
const ours: Side = { title: 'Frameloom', ours: {} }

/** What a user may choose for the motion UNet, against what they get unasked. */
const choices: readonly Side[] = [
  { title: 'as it comes', ours: {} },
  { title: '`--exact`', ours: { exact: true } },
  { title: 'weights prepacked', ours: { prepack: true } },
  { title: 'AttnProcessor', ours: { processor: { processor: 'AttnProcessor' } } },
  { title: 'SlicedAttnProcessor(1)', ours: { processor: { processor: 'SlicedAttnProcessor', slice_size: 1 } } },
  { title: 'SlicedAttnProcessor(8)', ours: { processor: { processor: 'SlicedAttnProcessor', slice_size: 8 } } },
  { title: 'fuseQkvProjections', ours: { fuseQkv: true } },
  { title: 'forward chunking 1, dim 0', ours: { chunk: [1, 0] } },
  { title: 'forward chunking 2, dim 0', ours: { chunk: [2, 0] } },
  { title: 'forward chunking 2, dim 1', ours: { chunk: [2, 1] } },
]

/**
 * Each choice beside the default alone, so that no more than two models are in memory; with as many frames as
 * AnimateDiff makes.
 */
async function choiceTable(options: RaceOptions): Promise<Figures[]> {
  const work = await mkdtemp(join(tmpdir(), 'frameloom-bench-'))
  const inputs = join(work, 'inputs.safetensors')
  const rows: Figures[] = []
  try {
    await writeSafetensors(inputs, {
      sample: normalValues([1, 4, 16, 32, 32], 1),
      encoder_hidden_states: normalValues([1, 77, 768], 2),
    })
    const [usual, ...others] = choices as [Side, ...Side[]]
    for (const other of others) {
      const [first, second] = await race('unet-motion', [usual, other], { ...options, inputs })
      if (rows.length === 0) rows.push(first!)
      rows.push(second!)
      console.error(table([second!]).split('\n').at(-1))
    }
    return rows
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function switchTable(
  cache: string,
  values: { rounds: string; threads: string; python?: string | undefined; write?: string | undefined },
): Promise<void> {
  const [rounds, threads] = [Number(values.rounds), Number(values.threads)]
  const name = 'unet-motion'
  const folder = hasCheckpoint(cache, name)
    ? join(cache, name)
    : await checkpoint(cache, values.python ?? (await referencePython(cache)), name)
  const rows = await switches(folder, { threads, rounds, kernelFile: join(cache, 'kernels.json') })
  const section = switchSection(rows, { rounds, threads })
  console.log(section)
  if (values.write !== undefined)
    await writeFile(values.write, withSwitchSection(await readFile(values.write, 'utf8').catch(() => ''), section))
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      case: { type: 'string', multiple: true },
      cache: {
        type: 'string',
        default: join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'frameloom-bench'),
      },
      python: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      threads: { type: 'string', default: String(availableParallelism()) },
      choices: { type: 'boolean', default: false },
      int8: { type: 'boolean', default: false },
      bfloat16: { type: 'boolean', default: false },
      write: { type: 'string' },
    },
  })
  const cache = resolve(values.cache)
  if (positionals[0] === 'switch') return switchTable(cache, values)
  const python = values.python ?? (await referencePython(cache))
  const optionsFor = async (name: string): Promise<RaceOptions> => ({
    folder: await checkpoint(cache, python, name),
    python,
    rounds: Number(values.rounds),
    threads: Number(values.threads),
    kernelFile: join(cache, 'kernels.json'),
  })
  const sides = [
    reference,
    ours,
    ...(values.int8 ? [{ title: 'Frameloom, int8', ours: { precision: 'int8' } } satisfies Side] : []),
    ...(values.bfloat16 ? [{ title: 'PyTorch, bfloat16', reference: 'bfloat16' } satisfies Side] : []),
  ]
  const results: { name: string; figures: Figures[] }[] = []
  for (const name of values.case ?? Object.keys(cases)) {
    const figures = await race(name, sides, await optionsFor(name))
    results.push({ name, figures })
    console.log(`${name}\n\n${table(figures)}\n`)
  }
  const chosen = values.choices ? await choiceTable(await optionsFor('unet-motion')) : []
  if (chosen.length > 0) console.log(`unet-motion, what can be chosen\n\n${table(chosen)}`)
  if (values.write !== undefined)
    await writeFile(
      values.write,
      document(results, chosen, { rounds: Number(values.rounds), threads: Number(values.threads) }),
    )
}

const [word, name, folder, threads, inputs, variant = '{}', kernelFile] = process.argv.slice(2)
if (word === 'child') await child(name!, folder!, Number(threads), inputs!, JSON.parse(variant) as Variant, kernelFile)
else if (word === 'demo') await demoQuality('resources/demo-models', Number(name ?? 4))
else await main()
