import fc from 'fast-check'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { bytesPerElement, sizeOf } from '#app/tensor/tensor.ts'
import { anyArchive, shown, validArchive } from './test-archives.ts'
import { createReader, limit, numRuns, options, seed } from './test-fuzz.ts'
import { emptyDict, global, int, pickleOps, text, viewOps } from './test-pickle.ts'
import { archiveBytes, archiveEntries, type Op, type TestArchive, type TestView } from './test-pickle.ts'
import { readPytorch } from './pytorch.ts'
import { temporaryFolder } from './testing.ts'
import type { Weights } from './weights.ts'
import { zipBytes, type TestEntry } from './zip-testing.ts'

const reader = createReader('PyTorch files, their pickle or entries changed', readPytorch)
afterAll(reader.report)

/**
 * What a view must read as, element by element; null when one of them is not in the storage, or the storage has another
 * size than is said.
 */
function elementsOf({ storages }: TestArchive, { storage, start, shape, strides, as }: TestView): Uint8Array | null {
  const { dtype, elements, bytes } = storages[storage]!
  const width = bytesPerElement[dtype]
  if (as !== 'v3' && elements * width !== bytes.length) return null
  const indices = shape.reduce<number[]>(
    (starts, size, axis) => starts.flatMap((at) => Array.from({ length: size }, (_, i) => at + i * strides[axis]!)),
    [start],
  )
  if (indices.some((index) => (index + 1) * width > bytes.length)) return null
  return Uint8Array.from(indices.flatMap((index) => [...bytes.subarray(index * width, (index + 1) * width)]))
}

const contents = (file: Uint8Array, { weights }: { weights: Weights }) =>
  new Map(
    [...weights].map(([name, { dtype, shape, source }]) => {
      const bytes = 'bytes' in source ? source.bytes : file.subarray(source.offset, source.offset + source.length)
      return [name, { dtype, shape, bytes: [...bytes] }]
    }),
  )

test(
  `tensors of any shape, stride and start: read as they must, or refused (seed ${seed})`,
  async () => {
    const path = join(await temporaryFolder(), 'any.ckpt')
    await fc.assert(
      fc.asyncProperty(anyArchive, fc.boolean(), async (archive, zip64) => {
        const file = archiveBytes(archive, pickleOps(archive), zip64)
        const opened = await reader.read(path, file)
        const expected = archive.views.map((view) => ({ view, bytes: elementsOf(archive, view) }))
        if (expected.some(({ bytes }) => bytes === null)) expect(opened && shown(opened)).toBeNull()
        else
          expect(opened && contents(file, opened)).toEqual(
            new Map(
              expected.map(({ view, bytes }) => [
                view.name,
                { dtype: archive.storages[view.storage]!.dtype, shape: view.shape, bytes: [...bytes!] },
              ]),
            ),
          )
      }),
      options,
    )
  },
  limit,
)

const foreign = ['posix.system', 'builtins.eval', '__builtin__.getattr', 'torch.load', 'subprocess.Popen', 'torch.FloatTensor'] // prettier-ignore
const needless = ['I1\n', 'Pmodule\n', '(cos\nsystem\no', '(ios\nsystem\n', '\x82\x01', '\x92', '\x97', '\x98', 'S"x"\n', 'L1L\n', 'F1\n', '\xff'] // prettier-ignore
const badCounts = [-1, -(2 ** 31), 2n ** 53n, -(2n ** 63n), 2n ** 63n - 1n] as const

/** The pickle with something after its protocol, where it does not belong to what follows. */
const before = (ops: readonly Op[], ...more: Op[]): Op[] => [ops[0]!, ...more, ...ops.slice(1)]
/** The first tensor with its numbers written otherwise. */
function withNumbers(archive: TestArchive, place: 'elements' | 'start' | 'shape' | 'strides', value: number | bigint) {
  const view = archive.views[0]!
  const { elements, bytes } = archive.storages[view.storage]!
  const mark = 7919
  const marked: TestArchive =
    place === 'elements'
      ? { ...archive, storages: archive.storages.map((s) => ({ ...s, elements: s.elements === elements ? mark : s.elements })) } // prettier-ignore
      : { ...archive, views: [{ ...view, ...(place === 'start' ? { start: mark } : { [place]: [1, mark] }) }] }
  if (view.as === 'v3' && place === 'elements') return null
  const ops = pickleOps(marked).map((op) => (op === int(mark) ? int(value) : op))
  return bytes.length ? archiveBytes(archive, ops) : null
}

/**
 * Ways to break a valid file, each against one rule. `n` varies them; null when the way does not apply to this file.
 */
const breaks: Record<string, (archive: TestArchive, n: number) => Buffer | null> = {
  'a foreign name': (archive, n) =>
    archiveBytes(archive, before(pickleOps(archive), global(foreign[n % foreign.length]!), '0')),
  'a foreign call': (archive, n) =>
    archiveBytes(
      archive,
      before(pickleOps(archive), global(foreign[n % foreign.length]!), text('x'), '\x85', 'R', '0'),
    ),
  'an opcode no checkpoint needs': (archive, n) =>
    archiveBytes(archive, before(pickleOps(archive), needless[n % needless.length]!, '0')),
  'a call of what is no function': (archive) => archiveBytes(archive, before(pickleOps(archive), 'N', ')', 'R', '0')),
  'another protocol': (archive, n) => {
    const protocol = [0, 1, 6, 255][n % 4]!
    return archiveBytes(archive, [`\x80${String.fromCharCode(protocol)}`, ...pickleOps(archive).slice(1)])
  },
  'a pickle cut short': (archive, n) => {
    const whole = pickleOps(archive).join('')
    return archiveBytes(archive, [whole.slice(0, n % whole.length)])
  },
  'bytes after the pickle': (archive, n) => archiveBytes(archive, [...pickleOps(archive), 'x'.repeat(1 + (n % 9))]),
  'something left on the stack': (archive) => archiveBytes(archive, before(pickleOps(archive), 'N')),
  'a mark never used': (archive) => archiveBytes(archive, [...pickleOps(archive).slice(0, -1), '(', '.']),
  'a memo never stored': (archive, n) => archiveBytes(archive, before(pickleOps(archive), `h${String.fromCharCode(n % 256)}`, '0')), // prettier-ignore
  'a string that is not UTF-8': (archive) =>
    archiveBytes(archive, before(pickleOps(archive), 'X\x02\0\0\0\xc0\x80', '0')),
  'a string past the end': (archive) => archiveBytes(archive, before(pickleOps(archive), 'X\xff\xff\xff\x7fx', '0')),
  'a name twice': (archive) => {
    const view = archive.views[0]!
    const again = [text(view.name), ...viewOps(archive, view)]
    const dict = ['}', '(', ...again, ...again, 'u']
    return archiveBytes(archive, ['\x80\x02', ...dict, '.'])
  },
  'no dict': (archive, n) => archiveBytes(archive, ['\x80\x02', ['N', ')', ']', int(1), text('x')][n % 5]!, '.']),
  'no tensor': (archive) => archiveBytes(archive, ['\x80\x02', ...emptyDict, '.']),
  'a bad number': (archive, n) =>
    withNumbers(
      archive,
      (['elements', 'start', 'shape', 'strides'] as const)[n % 4]!,
      badCounts[(n >> 2) % badCounts.length]!,
    ),
  'a storage larger than its entry': (archive, n) =>
    withNumbers(archive, 'elements', archive.storages[archive.views[0]!.storage]!.elements + 1 + (n % 99)),
  'a start past the end': (archive, n) =>
    withNumbers(archive, 'start', archive.storages[archive.views[0]!.storage]!.elements + (n % 99)),
  'a shape without its strides': (archive) => {
    const ops = pickleOps({ ...archive, views: [{ ...archive.views[0]!, shape: [1], strides: [1, 1] }] })
    return archiveBytes(archive, ops)
  },
  'another storage type': (archive, n) => {
    const type = ['ComplexFloatStorage', 'QInt8Storage', 'Tensor', 'BitsStorage'][n % 4]!
    const isType = (op: Op): boolean => op.startsWith('ctorch\n') && op.endsWith('Storage\n')
    const ops = pickleOps(archive)
    return ops.some(isType)
      ? archiveBytes(
          archive,
          ops.map((op) => (isType(op) ? global(`torch.${type}`) : op)),
        )
      : null
  },
  'another storage': (archive, n) => {
    const key = ['../version', '/etc/passwd', '99', '', '\0', 'data.pkl'][n % 6]!
    const { storage } = archive.views[0]!
    const ops = pickleOps(archive).map((op, i, all) =>
      op === text('cpu') || all[i + 1] !== text('cpu') ? op : text(key),
    )
    return storage >= 0 ? archiveBytes(archive, ops) : null
  },
  'a zip entry that lies': (archive, n) => {
    const entries = archiveEntries(archive, pickleOps(archive))
    const used = entries.findIndex(({ name }) => name === `archive/data/${archive.views[0]!.storage}`)
    const at = [0, used][n % 2]!
    const lies: Partial<TestEntry>[] = [
      { method: 8 },
      { method: 93 },
      { flags: 1 },
      { flags: 0x40 },
      { localName: 'archive/data/other' },
      { name: '../data.pkl' },
      { bytes: entries[at]!.bytes.subarray(1) },
    ]
    const lie = lies[(n >> 1) % lies.length]!
    return zipBytes(entries.map((entry, i) => (i === at ? { ...entry, ...lie } : entry)))
  },
  'an entry too many or too few': (archive, n) => {
    const entries = archiveEntries(archive, pickleOps(archive))
    const pickle = entries[0]!
    const ways = [
      [...entries, pickle],
      [...entries, { ...pickle, name: 'other/data.pkl' }],
      [...entries, { ...pickle, name: 'archive/constants.pkl' }],
      [...entries, { ...pickle, name: 'archive/code/model.py' }],
      entries.slice(1),
      entries.filter(({ name }) => !name.startsWith('archive/data/')),
      [...entries, { name: 'archive/byteorder', bytes: Buffer.from('big') }],
    ]
    return zipBytes(ways[n % ways.length]!)
  },
  'another byte order': (archive, n) => {
    const order = Buffer.from(['big', 'Little', 'little\n', ''][n % 4]!)
    const entries = archiveEntries(archive, pickleOps(archive))
    return zipBytes(entries.map((entry) => (entry.name.endsWith('byteorder') ? { ...entry, bytes: order } : entry)))
  },
  'a wrong check sum': (archive, n) =>
    zipBytes(archiveEntries(archive, pickleOps(archive), { crc32: 1 + (n % 2 ** 31) })),
  'a cut': (archive, n) => {
    const file = archiveBytes(archive)
    return file.subarray(0, n % file.length)
  },
  'bytes around it': (archive, n) => {
    const more = Buffer.alloc(1 + (n % 300))
    return Buffer.concat(n % 2 ? [more, archiveBytes(archive)] : [archiveBytes(archive), more])
  },
}
const ways = Object.keys(breaks)

test(
  `broken archives are refused, whatever is broken (seed ${seed})`,
  async () => {
    const path = join(await temporaryFolder(), 'broken.ckpt')
    const seen = new Set<string>()
    let turn = 0
    await fc.assert(
      fc.asyncProperty(validArchive, fc.nat(), async (archive, n) => {
        const way = ways[turn++ % ways.length]!
        const file = breaks[way]!(archive, n)
        fc.pre(file !== null)
        seen.add(way)
        const opened = await reader.read(path, file)
        expect({ way, n, opened: opened && shown(opened) }).toEqual({ way, n, opened: null })
      }),
      options,
    )
    if (numRuns >= 300) expect(ways.filter((way) => !seen.has(way))).toEqual([])
  },
  limit,
)

const opcodes = Array.from('(012]eauds}tlqhRbQ.cN)\x81\x85\x86\x87\x88\x89\x8f\x90\x93\x94')

test(
  `pickles with opcodes moved, doubled and exchanged: what is accepted stays within its storages (seed ${seed})`,
  async () => {
    const path = join(await temporaryFolder(), 'opcodes.ckpt')
    const change = fc.record({
      at: fc.nat(),
      kind: fc.constantFrom('remove', 'double', 'swap', 'exchange', 'insert', 'number', 'byte'),
      with: fc.oneof(fc.constantFrom(...opcodes), fc.integer().map(int), fc.nat({ max: 60 }).map(int)),
      other: fc.nat(),
    })
    await fc.assert(
      fc.asyncProperty(validArchive, fc.array(change, { minLength: 1, maxLength: 3 }), async (archive, changes) => {
        const ops = pickleOps(archive)
        for (const { at: any, kind, with: op, other } of changes) {
          const at = any % ops.length
          const from = other % ops.length
          const numbers = [...ops.keys()].filter((i) => ops[i]!.startsWith('K'))
          if (kind === 'remove') ops.splice(at, 1)
          else if (kind === 'double') ops.splice(at, 0, ops[at]!)
          else if (kind === 'swap') [ops[at], ops[from]] = [ops[from]!, ops[at]!]
          else if (kind === 'exchange') ops[at] = op
          else if (kind === 'insert') ops.splice(at, 0, op)
          else if (kind === 'number') ops[numbers[any % numbers.length] ?? at] = int(other % 64)
          else ops[at] = ops[at]!.slice(0, -1) + String.fromCharCode(other % 256)
        }
        const file = archiveBytes(archive, ops)
        const opened = await reader.read(path, file)
        const places = archive.storages.map(({ bytes: { length } }, i) => {
          const name = `archive/data/${i}`
          return { at: file.indexOf(name) + name.length, length }
        })
        for (const { dtype, shape, source } of opened?.weights.values() ?? []) {
          const length = sizeOf(shape) * bytesPerElement[dtype]
          if ('bytes' in source) expect(source.bytes).toHaveLength(length)
          else {
            expect(source.length).toBe(length)
            const end = source.offset + length
            const inside = places.some(({ at, length }) => source.offset >= at && end <= at + length)
            expect({ source, places, inside }).toMatchObject({ inside: true })
          }
        }
      }),
      options,
    )
  },
  limit,
)
