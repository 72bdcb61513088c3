import { quoted, type OpenFile, type Refuse } from './file.ts'

/**
 * One file inside a zip. `size` is its stored size; where its bytes start is known only from its local header
 * (`locate`).
 */
export type ZipEntry = {
  readonly name: string
  readonly headerOffset: number
  readonly size: number
  readonly crc32: number
  readonly method: number
  readonly flags: number
  /** Where the next local header, or the directory, begins. */
  readonly next: number
}

export type Zip = {
  readonly entries: ReadonlyMap<string, ZipEntry>
  /** Where the entry's bytes start in the file, after checking its local header against the directory. */
  locate(entry: ZipEntry): Promise<number>
}

// Records of APPNOTE.TXT 6.3.10, with the section that lays each out.
const localHeader = { signature: 0x04034b50, bytes: 30 } // 4.3.7
const directoryEntry = { signature: 0x02014b50, bytes: 46 } // 4.3.12
const zip64End = { signature: 0x06064b50, bytes: 56 } // 4.3.14
const zip64Locator = { signature: 0x07064b50, bytes: 20 } // 4.3.15
const end = { signature: 0x06054b50, bytes: 22 } // 4.3.16
const dataDescriptor = 0x08074b50 // 4.3.9
const longestComment = 0xffff
// Bits of the general purpose flag (4.4.4).
const encrypted = 0x2041
const hasDescriptor = 0x8
const largestDirectory = 100_000_000

/**
 * Reads the central directory of a zip whose entries are stored as they are. Compressed, encrypted and split archives
 * are refused.
 */
export async function readZip(file: OpenFile, refuse: Refuse): Promise<Zip> {
  const { count, offset, size } = await findDirectory(file, refuse)
  if (offset + size > file.size || size > largestDirectory)
    refuse('its directory reaches past the end of the file: it is damaged')
  const bytes = await file.read(offset, size)
  const view = new DataView(bytes.buffer)
  const entries = new Map<string, ZipEntry>()
  let at = 0
  for (let index = 0; index < count; index++) {
    if (at + directoryEntry.bytes > size || view.getUint32(at, true) !== directoryEntry.signature)
      refuse(`its directory is damaged at entry ${index + 1} of ${count}`)
    const nameEnd = at + directoryEntry.bytes + view.getUint16(at + 28, true)
    const extraEnd = nameEnd + view.getUint16(at + 30, true)
    if (extraEnd > size) refuse(`its directory is damaged at entry ${index + 1} of ${count}`)
    const name = decodeName(bytes.subarray(at + directoryEntry.bytes, nameEnd), refuse)
    const sizes = zip64Sizes(view, at, nameEnd, extraEnd, name, refuse)
    const flags = view.getUint16(at + 8, true)
    const method = view.getUint16(at + 10, true)
    const disk = view.getUint16(at + 34, true)
    if (disk !== 0 && disk !== 0xffff) refuse('it is one part of a split zip')
    if (sizes.headerOffset + localHeader.bytes + sizes.compressed > offset)
      refuse(`its entry ${quoted(name)} reaches into the directory: the file is damaged`)
    if (entries.has(name)) refuse(`its entry ${quoted(name)} is there twice`)
    const crc32 = view.getUint32(at + 16, true)
    if (method === 0 && sizes.compressed !== sizes.plain) refuse(`its entry ${quoted(name)} has two different sizes`)
    entries.set(name, { name, headerOffset: sizes.headerOffset, size: sizes.plain, crc32, method, flags, next: offset })
    at = extraEnd + view.getUint16(at + 32, true)
  }
  if (at !== size) refuse('its directory has another size than is said at its end')

  const byOffset = [...entries.values()].sort((a, b) => a.headerOffset - b.headerOffset)
  byOffset.forEach((entry, i) => entries.set(entry.name, { ...entry, next: byOffset[i + 1]?.headerOffset ?? offset }))
  return { entries, locate: (entry) => locate(file, entry, refuse) }
}

async function locate(file: OpenFile, entry: ZipEntry, refuse: Refuse): Promise<number> {
  const what = `its entry ${quoted(entry.name)}`
  const damaged = () => refuse(`${what} is not where the directory says: the file is damaged`)
  if (entry.flags & encrypted) refuse(`${what} is encrypted`)
  if (entry.method !== 0)
    refuse(`${what} is compressed (method ${entry.method}): save it again with torch.save, which stores`)
  const name = new TextEncoder().encode(entry.name)
  const headerBytes = localHeader.bytes + name.length
  if (entry.headerOffset + headerBytes > entry.next) return damaged()
  const local = await file.read(entry.headerOffset, headerBytes)
  const header = new DataView(local.buffer)
  const sameKind = header.getUint16(8, true) === 0 && header.getUint16(26, true) === name.length
  if (header.getUint32(0, true) !== localHeader.signature || !sameKind) return damaged()
  if (!name.every((byte, i) => local[localHeader.bytes + i] === byte)) return damaged()

  const start = entry.headerOffset + headerBytes + header.getUint16(28, true)
  // Only a data descriptor (4.3.9) may lie between the bytes and what follows: anything else means that the start is
  // wrong.
  const gap = entry.next - (start + entry.size)
  if (gap === 0) return start
  if (!(entry.flags & hasDescriptor) || (gap !== 16 && gap !== 24)) return damaged()
  const descriptor = new DataView((await file.read(start + entry.size, 8)).buffer)
  const sameSum = descriptor.getUint32(4, true) === entry.crc32
  return descriptor.getUint32(0, true) === dataDescriptor && sameSum ? start : damaged()
}

async function findDirectory(file: OpenFile, refuse: Refuse) {
  const tailStart = Math.max(0, file.size - end.bytes - longestComment)
  const tail = await file.read(tailStart, file.size - tailStart)
  const view = new DataView(tail.buffer)
  let at = tail.length - end.bytes
  const isEnd = (): boolean =>
    view.getUint32(at, true) === end.signature && at + end.bytes + view.getUint16(at + 20, true) === tail.length
  while (at >= 0 && !isEnd()) at--
  if (at < 0) return refuse('it has no zip directory at its end: the file is cut short. Download it again')
  const short = {
    disks: view.getUint16(at + 4, true) + view.getUint16(at + 6, true),
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  }
  const locatorAt = at - zip64Locator.bytes
  const isZip64 = locatorAt >= 0 && view.getUint32(locatorAt, true) === zip64Locator.signature
  if (!isZip64) {
    if (short.disks) refuse('it is one part of a split zip')
    return short
  }
  const recordAt = safe(view.getBigUint64(locatorAt + 8, true), refuse)
  if (recordAt + zip64End.bytes > tailStart + locatorAt) return refuse('its zip64 directory is damaged')
  const record = new DataView((await file.read(recordAt, zip64End.bytes)).buffer)
  if (record.getUint32(0, true) !== zip64End.signature) return refuse('its zip64 directory is damaged')
  const [disk, first] = [record.getUint32(16, true), record.getUint32(20, true)]
  // In the short record zip64 writers leave 0, or 0xffff for "see there".
  if (disk || first || (short.disks !== 0 && short.disks !== 2 * 0xffff)) refuse('it is one part of a split zip')
  return {
    count: safe(record.getBigUint64(32, true), refuse),
    size: safe(record.getBigUint64(40, true), refuse),
    offset: safe(record.getBigUint64(48, true), refuse),
  }
}

/**
 * Sizes and offset of a directory entry; those that do not fit 32 bits are in its zip64 extra field, in this order
 * (4.5.3).
 */
function zip64Sizes(view: DataView, at: number, from: number, to: number, name: string, refuse: Refuse) {
  let next = to
  let fieldEnd = to
  for (let field = from; field + 4 <= to; field += 4 + view.getUint16(field + 2, true))
    if (view.getUint16(field, true) === 1) {
      next = field + 4
      fieldEnd = Math.min(to, next + view.getUint16(field + 2, true))
      break
    }
  const value = (offset: number): number => {
    const small = view.getUint32(offset, true)
    if (small !== 0xffffffff) return small
    if (next + 8 > fieldEnd) return refuse(`its entry ${quoted(name)} has no zip64 size`)
    next += 8
    return safe(view.getBigUint64(next - 8, true), refuse)
  }
  const plain = value(at + 24)
  const compressed = value(at + 20)
  return { plain, compressed, headerOffset: value(at + 42) }
}

function safe(value: bigint, refuse: Refuse): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) refuse('its zip directory has a size beyond 2^53')
  return Number(value)
}

function decodeName(bytes: Uint8Array, refuse: Refuse): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return refuse('its directory has a name that is not UTF-8')
  }
}
