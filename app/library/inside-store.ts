import { existsSync, lstatSync, realpathSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { ProblemError } from '../contract/errors.ts'

/** Names that Windows opens as devices, with or without an extension. */
const device = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i

const forbidden = /[\p{Cc}<>:"/\\|?*]/u

/** True for one plain file or folder name: nothing that leaves its folder on any platform. */
export const isPlainName = (name: string): boolean =>
  name.length > 0 &&
  Buffer.byteLength(name) <= 255 &&
  !forbidden.test(name) &&
  !/[. ]$/.test(name) &&
  !device.test(name) &&
  !/^[.~]/.test(name)

const isBelow = (root: string, path: string): boolean => path.startsWith(root.endsWith(sep) ? root : root + sep)

/**
 * The path of `names` below `root`. The only place where a path inside the store is made from names.
 * `root` must exist. Each name is one segment; symbolic links that lead out of the root are refused.
 * Throws a ProblemError 'not-found' for everything else.
 */
export function insideStore(root: string, ...names: string[]): string {
  const refuse = (): never => {
    throw new ProblemError('not-found', `There is no ${JSON.stringify(names.join('/').slice(0, 100))} here.`)
  }
  if (names.length === 0 || !names.every(isPlainName)) return refuse()
  const realRoot = realpathSync.native(root)
  const path = join(realRoot, ...names)
  if (!isBelow(realRoot, path)) return refuse()
  // The deepest part that exists decides: what is below it cannot be a link.
  for (let part = path; part !== realRoot; part = dirname(part)) {
    if (existsSync(part)) return isBelow(realRoot, realpathSync.native(part)) ? path : refuse()
    if (lstatSync(part, { throwIfNoEntry: false })) return refuse() // a link to nowhere
  }
  return path
}
