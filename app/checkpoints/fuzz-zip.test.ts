import fc from 'fast-check'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { shown, validArchive } from './test-archives.ts'
import { createReader, edited, edits, limit, options, seed } from './test-fuzz.ts'
import { archiveBytes, pickleOps } from './test-pickle.ts'
import { readPytorch } from './pytorch.ts'
import { goldens, temporaryFolder } from './testing.ts'

const reader = createReader('PyTorch files, their zip changed', readPytorch)
afterAll(reader.report)

type ZipRecord = { signature: number; fields: readonly (readonly [at: number, bytes: 2 | 4 | 8])[] }
// APPNOTE.TXT 4.3.7, 4.3.12, 4.3.14, 4.3.15, 4.3.16.
const records: readonly ZipRecord[] = [
  { signature: 0x04034b50, fields: [[4, 2], [6, 2], [8, 2], [10, 4], [14, 4], [18, 4], [22, 4], [26, 2], [28, 2]] }, // prettier-ignore
  { signature: 0x02014b50, fields: [[4, 2], [6, 2], [8, 2], [10, 2], [12, 4], [16, 4], [20, 4], [24, 4], [28, 2], [30, 2], [32, 2], [34, 2], [36, 2], [38, 4], [42, 4]] }, // prettier-ignore
  {
    signature: 0x06064b50,
    fields: [
      [4, 8],
      [16, 4],
      [20, 4],
      [24, 8],
      [32, 8],
      [40, 8],
      [48, 8],
    ],
  },
  {
    signature: 0x07064b50,
    fields: [
      [4, 4],
      [8, 8],
      [16, 4],
    ],
  },
  {
    signature: 0x06054b50,
    fields: [
      [4, 2],
      [6, 2],
      [8, 2],
      [10, 2],
      [12, 4],
      [16, 4],
      [20, 2],
    ],
  },
]

/** Every field of every record of a zip, and the bytes of its names and extra fields. */
function fieldsOf(file: Buffer): { at: number; bytes: number }[] {
  return [...file.keys()]
    .flatMap((at) => {
      const record = at + 4 <= file.length && records.find(({ signature }) => signature === file.readUInt32LE(at))
      if (!record) return []
      const end = Math.max(...record.fields.map(([field, bytes]) => field + bytes))
      const after = Array.from({ length: 24 }, (_, i) => ({ at: at + end + i, bytes: 1 }))
      return [...record.fields.map(([field, bytes]) => ({ at: at + field, bytes })), ...after]
    })
    .filter(({ at, bytes }) => at + bytes <= file.length)
}

test(
  `zips with fields of their records changed: refused in words, or the weights are those of the whole file (seed ${seed})`,
  async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'fields.ckpt')
    const [plain, large] = fc.sample(validArchive, { numRuns: 2, seed })
    const genuine = await readFile(join(goldens, 'checkpoints/torch-values/training.ckpt'))
    const wholes = [archiveBytes(plain!), archiveBytes(large!, pickleOps(large!), true), genuine]
    const fields = wholes.map(fieldsOf)
    const expected: string[] = []
    for (const whole of wholes) {
      await writeFile(path, whole)
      expected.push(shown(await readPytorch(path)))
    }
    const change = fc.record({ at: fc.nat(), kind: fc.nat({ max: 7 }), other: fc.nat(), any: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }) // prettier-ignore
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 2 }), fc.array(change, { minLength: 1, maxLength: 2 }), async (which, changes) => {
        const file = Buffer.from(wholes[which]!)
        const read = ({ at, bytes }: { at: number; bytes: number }): bigint =>
          file.subarray(at, at + bytes).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
        for (const { at, kind, other, any } of changes) {
          const field = fields[which]![at % fields[which]!.length]!
          const old = read(field)
          const value = [0n, 1n, old + 1n, old - 1n, 2n ** 64n - 1n, old << 1n, read(fields[which]![other % fields[which]!.length]!), any][kind]! // prettier-ignore
          for (let i = 0; i < field.bytes; i++) file[field.at + i] = Number((value >> BigInt(8 * i)) & 0xffn)
        }
        const opened = await reader.read(path, file)
        if (opened) expect(shown(opened)).toBe(expected[which])
      }),
      options,
    )
  },
  limit,
)

test(
  `random edits of a genuine file: refused in words, or the weights are those of the whole file (seed ${seed})`,
  async () => {
    const path = join(await temporaryFolder(), 'edited.ckpt')
    const whole = await readFile(join(goldens, 'checkpoints/torch-values/training.ckpt'))
    await writeFile(path, whole)
    const expected = shown(await readPytorch(path))
    // Sizes and flags sit in the directory at the end, so edits there are made more often than chance would.
    const place = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0.7, max: 1, noNaN: true }))
    const overwrite = fc.record({ at: place, bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(overwrite, { minLength: 1, maxLength: 2 }),
        fc.option(edits),
        async (writes, changes) => {
          const bytes = Buffer.from(whole)
          for (const { at, bytes: content } of writes) bytes.set(content, Math.floor(at * (bytes.length - 4)))
          const opened = await reader.read(path, changes ? edited(bytes, changes, bytes.length) : bytes)
          if (opened) expect(shown(opened)).toBe(expected)
        },
      ),
      options,
    )
  },
  limit,
)
