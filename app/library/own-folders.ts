import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { diskProblem, diskReason } from '#app/files/disk-problem.ts'
import { writerOf } from '#app/files/durable.ts'
import { isId } from './ids.ts'

export const databaseIn = (dataDir: string): string => join(dataDir, 'library.sqlite')

/** Makes the data folder. Throws `disk` where that cannot be, or nothing can be written to one without a library. */
export function makeDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (!existsSync(databaseIn(folder))) accessSync(folder, constants.W_OK)
  } catch (cause) {
    throw diskProblem(cause, folder, 'cannot be the data folder')
  }
}

/**
 * A folder of the studio's own. A link is followed, since clips may be kept on another disk; what is no folder is moved
 * aside, and told in `notices`. Never throws: where the disk cannot be written, the folder may not be there.
 */
export function openFolder(dataDir: string, name: string, notices: string[]): string {
  const path = join(realpathSync.native(dataDir), name)
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) && !statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      const aside = `${path}.aside-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
      renameSync(path, aside)
      notices.push(`${path} is no folder, or leads to none. It was kept as ${aside}, and a folder was made.`)
    }
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return realpathSync.native(path)
  } catch (error) {
    notices.push(`The folder ${path} cannot be made: ${diskReason(error) ?? String(error)}.`)
    return path
  }
}

/** None where the folder cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Every file that the studio writes into a folder of its own begins with an id. */
const idOf = (name: string): string => name.slice(0, 36)
export const isOwn = (name: string): boolean => isId(idOf(name)) && /^(\.[\w.-]+)?$/.test(name.slice(36))

/** What nobody put there on purpose: hidden files, and those that file managers leave. */
const isLitter = (name: string): boolean => /^(\.|thumbs\.db$|desktop\.ini$)/i.test(name)

/** Files of somebody else: nothing is done to them. */
export const strangersIn = (folder: string): string[] =>
  namesIn(folder)
    .filter((name) => !isOwn(name) && !isLitter(name))
    .map((name) => join(folder, name))

/** A file of the studio's own, whatever is there in its place. */
export function ownFile(folder: string, name: string): string {
  if (!isOwn(name)) throw new Error(`${JSON.stringify(name)} is not a name that the studio gives`)
  return join(folder, name)
}

/** Removes it; of a link, the link. Throws `disk`. */
export function removeOwn(folder: string, name: string): void {
  const file = ownFile(folder, name)
  try {
    rmSync(file, { recursive: true, force: true })
  } catch (error) {
    throw diskProblem(error, file, 'could not be removed')
  }
}

/** Nothing is emptied that the user has linked from elsewhere. Never throws. */
export function emptyScratch(dataDir: string, scratch: string): void {
  if (lstatSync(join(dataDir, 'scratch'), { throwIfNoEntry: false })?.isSymbolicLink()) return
  for (const name of namesIn(scratch)) {
    try {
      rmSync(join(scratch, name), { recursive: true, force: true })
    } catch {
      // a disk that cannot be written: it holds files of the moment only
    }
  }
}

/** Removes the halves of files whose writer has ended. Nothing points at them. Never throws. */
export function removeParts(folder: string, writers: readonly (number | undefined)[]): void {
  for (const name of namesIn(folder)) {
    const writer = writerOf(name)
    if (!isOwn(name) || !name.endsWith('.part') || (writer !== undefined && writers.includes(writer))) continue
    try {
      removeOwn(folder, name)
    } catch {
      // a disk that cannot be written: the next time
    }
  }
}
