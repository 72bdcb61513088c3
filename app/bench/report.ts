import { arch, cpus, platform, release } from 'node:os'
import type { Figures } from './race.ts'
import type { SwitchFigures } from './switches.ts'

const seconds = (ms: number): string => (ms / 1000).toFixed(2)

/** The figures as a Markdown table, the first row the one that the others are compared with. */
export function table(rows: readonly Figures[]): string {
  const lines = rows.map((row) =>
    [
      row.title,
      `${seconds(row.ms)} s`,
      `${row.ratio.toFixed(2)}x`,
      `${seconds(row.cpuMs)} s`,
      `${row.cpuRatio.toFixed(2)}x`,
      `${row.firstSeconds.toFixed(1)} s`,
      `${row.peakMib} MiB`,
      `${row.anonymousMib} MiB`,
      row.apart.toExponential(1),
      row.cosine.toFixed(6),
    ].join(' | '),
  )
  return [
    '| | forward | speed-up | processor time | speed-up | start to first output | peak memory | of it anonymous | apart | cosine |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...lines.map((line) => `| ${line} |`),
  ].join('\n')
}

const switchTitle = '## Switching on the open motion UNet'

/** What `bench switch` measured, as a section of docs/benchmarks.md. */
export const switchSection = (
  rows: readonly SwitchFigures[],
  { rounds, threads }: { rounds: number; threads: number },
): string =>
  [
    switchTitle,
    '',
    `From the call until the model can run with it (8 frames of 32x32 latents, ${threads} threads, ${rounds} rounds, ${machine()}, on ${today()}),`,
    'and the bytes of weights that were mapped or read from a disk for it. `npm run bench -- switch` measures anew.',
    '',
    '| | median | slowest | processor time | weights mapped | read from disk |',
    '|---|---|---|---|---|---|',
    ...rows.map(
      ({ title, ms, slowestMs, cpuMs, mapped, read }) =>
        `| ${title} | ${ms.toFixed(0)} ms | ${slowestMs.toFixed(0)} ms | ${cpuMs.toFixed(0)} ms | ${mapped} | ${read} |`,
    ),
    '',
  ].join('\n')

/** The document with this section in the place of the one that was there, or at its end. */
export function withSwitchSection(document: string, section: string): string {
  const at = document.indexOf(switchTitle)
  if (at < 0) return `${document.trimEnd()}\n\n${section}`
  const next = document.indexOf('\n## ', at + 1)
  return document.slice(0, at) + section + (next < 0 ? '' : document.slice(next))
}

const machine = (): string =>
  `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${platform()} ${release()} ${arch()}`
const today = (): string => new Date().toISOString().slice(0, 10)

const titles: Readonly<Record<string, string>> = {
  'unet-motion': 'UNetMotionModel (Stable Diffusion 1.5 with AnimateDiff v1.5-2): one step of 8 frames at 256x256',
  timesformer: 'TimesformerForVideoClassification (base, k400): one clip of 8 frames',
  temporal: 'TransformerTemporalModel (320 channels): 16 frames of 32x32',
  prior: "PriorTransformer (Kandinsky 2.2's): one step with guidance",
  pixart: 'PixArtTransformer2DModel (Sigma XL/2): one step with guidance at 256x256',
}

/** docs/benchmarks.md */
export function document(
  results: readonly { readonly name: string; readonly figures: readonly Figures[] }[],
  choices: readonly Figures[],
  { rounds, threads }: { readonly rounds: number; readonly threads: number },
): string {
  return [
    '# Benchmarks',
    '',
    `Measured on ${machine()}, with ${threads} threads and ${rounds} rounds, on ${today()}.`,
    '',
    '    npm run bench -- --int8 --bfloat16 --choices --write docs/benchmarks.md',
    '',
    'measures anew. It makes a Python environment with PyTorch and diffusers, and full-size checkpoints of random weights (13 GB), in a',
    'cache folder; `--python` and `--cache` give others. All sides of a case run in turn, in one run, on the same inputs and threads, each in',
    'a process of its own. The outputs are compared before any time is taken: `apart` is the largest difference as a part of the largest',
    'value, and above 1e-4 in float32 the benchmark fails. Times are medians; a speed-up is the median of the ratios of each round, above 1',
    'where a row is faster than the first one. Processor time is that of all threads, which a busy machine does not change as much.',
    'Anonymous memory is what is not pages of a file: weights that stay in their files can be dropped and shared by the system.',
    '',
    ...results.flatMap(({ name, figures }) => [`## ${titles[name] ?? name}`, '', table(figures), '']),
    ...(choices.length > 0
      ? ['## What can be chosen for the motion UNet: one step of 16 frames at 256x256', '', table(choices), '']
      : []),
  ].join('\n')
}
