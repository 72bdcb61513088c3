import { crc32 } from 'node:zlib'

export type TestEntry = {
  name: string
  bytes: Uint8Array
  method?: number
  flags?: number
  crc32?: number
  localName?: string
}

/** A zip of stored entries (APPNOTE.TXT 4.3.6), with whatever lies the entries ask for. */
export function zipBytes(
  entries: readonly TestEntry[],
  { zip64 = false, comment = '' }: { zip64?: boolean; comment?: string } = {},
): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  const write = (...fields: readonly (readonly [2 | 4 | 8, number])[]): Buffer => {
    const buffer = Buffer.alloc(fields.reduce((sum, [width]) => sum + width, 0))
    let offset = 0
    for (const [width, value] of fields) {
      if (width === 8) buffer.writeBigUInt64LE(BigInt(value), offset)
      else buffer.writeUIntLE(value, offset, width)
      offset += width
    }
    return buffer
  }
  for (const entry of entries) {
    const { bytes, method = 0, flags = 0 } = entry
    const name = Buffer.from(entry.name)
    const local = Buffer.from(entry.localName ?? entry.name)
    const sum = entry.crc32 ?? crc32(bytes)
    const offset = at
    const size = zip64 ? 0xffffffff : bytes.length
    const kind = [[2, flags], [2, method], [4, 0], [4, sum], [4, size], [4, size]] as const // prettier-ignore
    const header = Buffer.concat([write([4, 0x04034b50], [2, 45], ...kind, [2, local.length], [2, 0]), local, bytes])
    parts.push(header)
    at += header.length
    const extra = zip64 ? write([2, 1], [2, 24], [8, bytes.length], [8, bytes.length], [8, offset]) : Buffer.alloc(0)
    const tail = [[2, name.length], [2, extra.length], [2, 0], [2, 0], [2, 0], [4, 0], [4, zip64 ? 0xffffffff : offset]] as const // prettier-ignore
    directory.push(Buffer.concat([write([4, 0x02014b50], [2, 45], [2, 45], ...kind, ...tail), name, extra]))
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0)
  const count = entries.length
  const large = [
    write([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, count], [8, count], [8, size], [8, at]),
    write([4, 0x07064b50], [4, 0], [8, at + size], [4, 1]),
  ]
  const [shortCount, shortSize, shortAt] = zip64 ? [0xffff, 0xffffffff, 0xffffffff] : [count, size, at]
  const end = write([4, 0x06054b50], [2, 0], [2, 0], [2, shortCount], [2, shortCount], [4, shortSize], [4, shortAt], [2, comment.length]) // prettier-ignore
  return Buffer.concat([...parts, ...directory, ...(zip64 ? large : []), end, Buffer.from(comment, 'latin1')])
}
