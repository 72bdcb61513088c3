import type { Result } from '../contract/results.ts'
import type { Reconciled } from './reconcile.ts'

export const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

const some = (names: readonly string[]): string => names.slice(0, 3).join(', ') + (names.length > 3 ? ' ...' : '')
const titles = (results: readonly Result[]): string => some(results.map(({ title }) => `"${title.slice(0, 60)}"`))

/** What was found beside the database at the start, for the user. */
export function fileNotices({ added, lost, changed, unreadable }: Reconciled, strangers: readonly string[]): string[] {
  const notices: string[] = []
  if (added.length > 0) notices.push(`${count(added.length, 'result')} came back from the files of the library.`)
  if (lost.length > 0)
    notices.push(`${count(lost.length, 'clip')} of the library had no file any more: ${titles(lost)}.`)
  if (changed.length > 0)
    notices.push(`The file of ${count(changed.length, 'clip')} is not as it was saved: ${titles(changed)}.`)
  if (unreadable.length > 0)
    notices.push(`${count(unreadable.length, 'file')} could not be read as clips of the studio: ${some(unreadable)}.`)
  if (strangers.length > 0)
    notices.push(`${count(strangers.length, 'file')} in the library's folders are none of its own: ${some(strangers)}.`)
  return notices
}

/** Of the database itself. `from`: what came back out of a file that cannot be used. */
export function databaseNotices(
  file: string,
  {
    setAside,
    unwritable,
    from,
    vanished,
    bad,
  }: { setAside: string | null; unwritable: string | null; from: string; vanished: string | null; bad: number },
): string[] {
  const notices: string[] = []
  if (setAside)
    notices.push(
      `The library file was damaged, or is none of Frameloom's. It was kept as ${setAside}. Read from it: ${from}; clips come back from their files.`,
    )
  if (unwritable)
    notices.push(
      `The library ${file} cannot be written: ${unwritable}, and start Frameloom again. Settings, jobs and processor maps of this session are not kept. Read from it: ${from}.`,
    )
  if (vanished)
    notices.push(
      `The library file ${file} ${vanished}, though its clips are there. Settings and processor maps begin anew, and waiting jobs are gone. If you have a copy of it, close Frameloom, put it back and start again.`,
    )
  if (bad > 0) notices.push(`${count(bad, 'row')} of the library could not be read and were set aside.`)
  return notices
}
