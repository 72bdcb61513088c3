import { resolve } from 'node:path'
import type { LoadReport, LoadReportPart } from '#app/contract/load-report.ts'
import { exitCodes } from './exit-codes.ts'
import { table } from './table.ts'
import type { GlobalOptions, Tools } from './with-engine.ts'

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
const mostShown = 20

/** Prints what a checkpoint holds. Fails when its weights and its config do not belong together. */
export async function inspect(
  path: string,
  options: GlobalOptions & { json?: boolean },
  { engine, progress, signal }: Tools,
): Promise<number> {
  const report = await engine.call(
    'inspect',
    { path: resolve(path) },
    { signal, onEvent: ({ stage, progress: part }) => progress.update(stage, part) },
  )
  progress.end()
  console.log(options.json ? JSON.stringify(report, null, 2) : inWords(report))
  return report.parts.some(isBroken) ? exitCodes.badModel : exitCodes.ok
}

const isBroken = ({ missing, wrong, unused, problem }: LoadReportPart): boolean =>
  missing.length + wrong.length + unused.length > 0 || (problem !== undefined && problem.code !== 'unsupported')

function inWords(report: LoadReport): string {
  const rows = report.parts.map(({ part, architecture, precision, parameters, bytes }) => [
    part || '-',
    architecture,
    precision,
    `${(parameters / 1e6).toFixed(2)} M`,
    megabytes(bytes),
  ])
  const lists = report.parts.flatMap((part) => [
    ...listed(part, 'missing', part.missing),
    ...listed(part, 'of another shape', part.wrong),
    ...listed(part, 'unused', part.unused),
    ...(part.problem ? [`${part.part || part.architecture}: ${part.problem.message}`] : []),
  ])
  return [
    `${report.path}\n${report.kind}`,
    table([['PART', 'ARCHITECTURE', 'PRECISION', 'PARAMETERS', 'SIZE'], ...rows], { right: [3, 4] }),
    lists.length > 0 ? lists.join('\n') : 'Nothing is missing, nothing is unused.',
    ...(report.unused.length > 0 ? [`Of no part (${report.unused.length}): ${shown(report.unused)}`] : []),
    ...(report.notes.length > 0 ? [report.notes.map((note) => `* ${note}`).join('\n')] : []),
    report.files.map(({ path, bytes, sha256 }) => `${sha256}  ${path}  ${megabytes(bytes)}`).join('\n'),
  ].join('\n\n')
}

const listed = ({ part, architecture }: LoadReportPart, what: string, keys: readonly string[]): string[] =>
  keys.length === 0 ? [] : [`${part || architecture}: ${keys.length} ${what}: ${shown(keys)}`]

const shown = (keys: readonly string[]): string =>
  keys.slice(0, mostShown).join(', ') + (keys.length > mostShown ? ', ...' : '')
