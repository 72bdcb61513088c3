import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { isOneProcessor, type AttnChoice } from '#app/contract/attn-processors.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { Proposal, TuneReport } from '#app/contract/profile.ts'
import { keepTuning } from '#main/tunings.ts'
import { findMeasured, type MeasureOptions } from './measured-model.ts'
import { addMeasured, megabytes, seconds } from './measured-words.ts'
import * as parse from './parse.ts'
import { table } from './table.ts'
import type { Tools, WithEngine } from './with-engine.ts'

type AutotuneOptions = MeasureOptions & { within?: number; choose?: string; save?: string }

/** `autotune`. `command` has the options of commands that `withEngine` runs. */
export function addAutotune(command: Command, withEngine: WithEngine): void {
  addMeasured(command)
    .description('Measure ways to run a model on this machine, propose some, and keep one for generate --tuned.')
    .option(
      '--within <size>',
      'the memory that the tensors of a run may take, beside the weights, such as 2GB or 800MB',
      parse.bytes,
    )
    .option('--choose <name>', 'the proposal to keep, such as "least memory" (default: the fastest that fits)')
    .option('--save <file>', 'write its map of attention processors to this file, for generate --processors')
    .addHelpText(
      'after',
      `
Examples:
  frameloom autotune
  frameloom autotune some-org--some-model --size 512x512 --frames 16 --within 2GB
  frameloom autotune --choose "least memory" --save map.json
  frameloom generate -p "a blue star" -o star.webp --tuned`,
    )
    .action((model: string | undefined, options: AutotuneOptions) =>
      withEngine(options, (tools) => tune(model, options, tools)),
    )
}

async function tune(wanted: string | undefined, options: AutotuneOptions, tools: Tools): Promise<undefined> {
  const { engine, progress, signal } = tools
  progress.update('Looking for models', 0)
  const { request, shape, key, bare } = await findMeasured(wanted, options, tools)
  const report = await engine.call(
    'autotune',
    { ...request, settings: { ...shape, memoryBytes: options.within ?? null } },
    { signal, onEvent: ({ stage, progress: part }) => progress.update(stage, part) },
  )
  progress.end()
  const chosen = chosenOf(report, options.choose)
  const { name, attnProcessor, forwardChunking, measured } = chosen
  await keepTuning(key, { name, attnProcessor, forwardChunking, measured, keptAt: Date.now() })
  if (options.save !== undefined) await save(options.save, attnProcessor)
  console.log(options.json ? JSON.stringify({ ...report, kept: name }, null, 2) : inWords(report, chosen, bare))
}

/** Throws bad-input naming the proposals that there are. */
function chosenOf({ proposals, advised }: TuneReport, wanted = advised): Proposal {
  const found = proposals.find(({ name }) => name.toLowerCase().split(', ').includes(wanted.toLowerCase()))
  const exact = proposals.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())
  if (exact ?? found) return (exact ?? found)!
  const names = proposals.map(({ name }) => name).join(', ')
  throw new ProblemError('bad-input', `--choose ${wanted}: there is no such proposal. There are: ${names}.`, {
    field: 'choose',
  })
}

async function save(file: string, attnProcessor: AttnChoice | null): Promise<void> {
  const text = JSON.stringify(attnProcessor ?? { processor: 'AttnProcessor2_0' }, null, 2)
  await writeFile(resolve(file), `${text}\n`).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ProblemError('disk', `--save ${file}: ${why}`, { cause })
  })
}

function inWords({ proposals, shapes, layers, settings }: TuneReport, chosen: Proposal, bare: boolean): string {
  const rows = proposals.map((proposal) => [
    proposal === chosen ? `* ${proposal.name}` : `  ${proposal.name}`,
    seconds(proposal.measured.milliseconds),
    megabytes(proposal.measured.peakBytes),
    seconds(proposal.predicted.milliseconds),
    megabytes(proposal.predicted.peakBytes),
    attentionWords(proposal.attnProcessor),
    proposal.forwardChunking ? `${proposal.forwardChunking.chunkSize},${proposal.forwardChunking.dim}` : 'off',
  ])
  const head = ['  PROPOSAL', 'TIME', 'MEMORY', 'PREDICTED', '', 'ATTENTION', 'CHUNKING']
  const within = settings.memoryBytes
  const measured =
    layers === 0
      ? 'It has no layer that can be computed otherwise.'
      : `${layers} layers of ${shapes} shapes were measured.`
  return [
    table([head, ...rows], { right: [1, 2, 3, 4] }),
    ...(within !== null && !chosen.fits ? [`None stays within ${megabytes(within)}.`] : []),
    `${measured} Kept: ${chosen.name}${bare ? '' : '; generate --tuned uses it'}.`,
  ].join('\n\n')
}

function attentionWords(choice: AttnChoice | null): string {
  if (choice === null) return 'default'
  if (isOneProcessor(choice))
    return 'slice_size' in choice ? `${choice.processor}:${choice.slice_size}` : choice.processor
  const kinds = new Map<string, number>()
  for (const one of Object.values(choice)) kinds.set(one.processor, (kinds.get(one.processor) ?? 0) + 1)
  return [...kinds].map(([name, count]) => `${count} ${name}`).join(', ')
}
