import fc from 'fast-check'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { bytesPerElement, sizeOf } from '#app/tensor/tensor.ts'
import { createReader, edited, edits, limit, numRuns, options, seed } from './test-fuzz.ts'
import { readSafetensors } from './safetensors.ts'
import { dtypeOf } from './safetensors-dtypes.ts'
import { safetensorsBytes, temporaryFolder } from './testing.ts'

type Field = [key: string, json: string]
type Entry = { name: string; fields: Field[] }
type Model = { entries: Entry[]; data: number }

const json = JSON.stringify

/** A valid file: tensors of any dtype and shape, laid out without a hole, in any order in the header. */
const validModel: fc.Arbitrary<Model> = fc
  .tuple(
    fc.uniqueArray(
      fc.record({
        name: fc.oneof(
          fc.string({ maxLength: 12 }),
          fc.string({ unit: 'grapheme', maxLength: 6 }),
          fc.constantFrom('__proto__', 'constructor', 'a.b.weight'),
        ),
        dtype: fc.constantFrom(...dtypeOf.keys()),
        shape: fc.array(fc.nat({ max: 4 }), { maxLength: 4 }),
      }),
      { selector: ({ name }) => name, minLength: 1, maxLength: 6 },
    ),
    fc.nat(),
  )
  .map(([tensors, rotation]) => {
    let at = 0
    const entries = tensors
      .filter(({ name }) => name !== '__metadata__')
      .map(({ name, dtype, shape }): Entry => {
        const begin = at
        at += sizeOf(shape) * bytesPerElement[dtypeOf.get(dtype)!]
        const fields: Field[] = [
          ['dtype', json(dtype)],
          ['shape', json(shape)],
          ['data_offsets', json([begin, at])],
        ]
        return { name, fields }
      })
    const turn = rotation % Math.max(1, entries.length)
    return { entries: [...entries.slice(turn), ...entries.slice(0, turn)], data: at }
  })

const fieldsText = (fields: readonly Field[]) => `{${fields.map(([key, value]) => `${json(key)}:${value}`).join(',')}}`
const headerText = ({ entries }: Model, more: readonly string[] = []) =>
  `{${[...entries.map(({ name, fields }) => `${json(name)}:${fieldsText(fields)}`), ...more].join(',')}}`
const fileOf = (model: Model, more?: readonly string[]) => safetensorsBytes(headerText(model, more), model.data)
const offsetsOf = ({ fields }: Entry) => JSON.parse(fields[2]![1]) as [number, number]

/** The model with one field of one entry written otherwise. */
function withField({ entries, data }: Model, index: number, field: 0 | 1 | 2, value: string): Model {
  const changed = entries.map((entry, i): Entry => {
    if (i !== index) return entry
    return { name: entry.name, fields: entry.fields.map((old, j): Field => (j === field ? [old[0], value] : old)) }
  })
  return { entries: changed, data }
}

const notIntegers = [
  '-1',
  '1.0',
  '1e0',
  '-0',
  '01',
  '"1"',
  'null',
  'true',
  '[1]',
  '{}',
  '9007199254740993',
  '1e400',
  'NaN',
  '',
]
const deep = (n: number) => ['['.repeat(n), '{"a":'.repeat(n), '['.repeat(n) + ']'.repeat(n)]

/**
 * Ways to break a valid file, each against one rule of the format. `n` varies them; null when the way does not apply to
 * this file.
 */
const breaks: Record<string, (model: Model, at: number, n: number) => Uint8Array | null> = {
  'a shorter header length': (model, _, n) => {
    const text = headerText(model)
    return safetensorsBytes(text, model.data, BigInt(n % text.length))
  },
  'a longer header length': (model, _, n) => {
    const text = headerText(model)
    return safetensorsBytes(text, model.data, BigInt(text.length) * 8n + BigInt(model.data + 1 + n))
  },
  'a header length into the data': (model, _, n) => {
    const text = headerText(model)
    return model.data
      ? safetensorsBytes(text, model.data, BigInt(Buffer.byteLength(text) + 1 + (n % model.data)))
      : null
  },
  'a header length beyond all': (model, _, n) =>
    safetensorsBytes(headerText(model), model.data, 2n ** 64n - 1n - BigInt(n)),
  'shifted offsets': (model, at, n) => {
    const [begin, end] = offsetsOf(model.entries[at]!)
    const shift = (n % 16) + 1
    return begin === end ? null : fileOf(withField(model, at, 2, json([begin + shift, end + shift])))
  },
  'a negative offset': (model, at, n) => fileOf(withField(model, at, 2, json([-1 - (n % 64), 0]))),
  'offsets backwards': (model, at) => {
    const [begin, end] = offsetsOf(model.entries[at]!)
    return begin === end ? null : fileOf(withField(model, at, 2, json([end, begin])))
  },
  'the offsets of another tensor': (model, at, n) => {
    const [begin, end] = offsetsOf(model.entries[at]!)
    const other = offsetsOf(model.entries[n % model.entries.length]!)
    return begin === end || other[0] === begin ? null : fileOf(withField(model, at, 2, json(other)))
  },
  'a hole': (model, at, n) => {
    const from = offsetsOf(model.entries[at]!)[0]
    const gap = (n % 32) + 1
    const entries = model.entries.map((entry): Entry => {
      const [begin, end] = offsetsOf(entry)
      const moved: Field = ['data_offsets', json([begin + gap, end + gap])]
      return begin < from || (begin === from && end === from)
        ? entry
        : { name: entry.name, fields: [...entry.fields.slice(0, 2), moved] }
    })
    return fileOf({ entries, data: model.data + gap })
  },
  'another shape': (model, at, n) => {
    const shape = JSON.parse(model.entries[at]!.fields[1]![1]) as number[]
    return shape.includes(0) ? null : fileOf(withField(model, at, 1, json([...shape, 2 + (n % 9)])))
  },
  'a shape that overflows': (model, at, n) => {
    const sizes = [2 ** 40, 2 ** 26, 2 ** 52, 4294967296].slice(0, 2 + (n % 3))
    return fileOf(withField(model, at, 1, json(sizes)))
  },
  'no integer in the shape': (model, at, n) =>
    fileOf(withField(model, at, 1, `[${notIntegers[n % notIntegers.length]},1]`)),
  'no integer in the offsets': (model, at, n) =>
    fileOf(withField(model, at, 2, `[0,${notIntegers[n % notIntegers.length]}]`)),
  'too many or few offsets': (model, at, n) =>
    fileOf(withField(model, at, 2, json(Array.from({ length: [0, 1, 3, 40][n % 4]! }, () => 0)))),
  'another dtype': (model, at, n) =>
    fileOf(withField(model, at, 0, ['"F7"', '"U16"', '"F8_E4M3"', '"f32"', '""', '4', 'null', '"__proto__"'][n % 8]!)),
  'a value of another kind': (model, at, n) =>
    fileOf(
      withField(
        model,
        at,
        ((n >> 3) % 3) as 0 | 1 | 2,
        ['null', '{}', '"x"', '7', 'true', '[[]]', '[null]', ''][n % 8]!,
      ),
    ),
  'a missing field': ({ entries, data }, at, n) => {
    const fields = entries[at]!.fields.filter((_, i) => i !== n % 3)
    return fileOf({ entries: entries.map((entry, i) => (i === at ? { ...entry, fields } : entry)), data })
  },
  'a field twice': ({ entries, data }, at, n) => {
    const fields = [...entries[at]!.fields, entries[at]!.fields[n % 3]!]
    return fileOf({ entries: entries.map((entry, i) => (i === at ? { ...entry, fields } : entry)), data })
  },
  'a tensor twice': (model, at) => fileOf({ ...model, entries: [...model.entries, model.entries[at]!] }),
  'a key twice, once escaped': (model, at) => {
    const { name, fields } = model.entries[at]!
    const escaped = [...Array(name.length).keys()].map((i) => `\\u${name.charCodeAt(i).toString(16).padStart(4, '0')}`)
    return fileOf(model, [`"${escaped.join('')}":${fieldsText(fields)}`])
  },
  'metadata twice': (model) => fileOf(model, ['"__metadata__":{}', '"__metadata__":{}']),
  'metadata of other kinds': (model, _, n) =>
    fileOf(model, [`"__metadata__":${['{"a":1}', '[]', '7', '"x"', '{"a":{}}', '{"a":"1","a":"1"}'][n % 6]}`]),
  'a prototype': (model, _, n) => {
    if (model.entries.some(({ name }) => name === '__proto__')) return null
    return fileOf(model, [`"__proto__":${['{}', 'null', '{"dtype":"F32"}', '[]'][n % 4]}`])
  },
  depth: (model, at, n) => fileOf(withField(model, at, (n % 3) as 0 | 1 | 2, deep(1 + (n % 50_000))[n % 3]!)),
  'depth at the top': (model, _, n) => safetensorsBytes(deep(2 + (n % 50_000))[n % 2]!, model.data),
  'bad UTF-8': (model, _, n) => {
    const file = fileOf(model)
    const bad = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf8, 0x88], [0x80]][n % 5]!
    const quote = file.indexOf(0x22, 8) + 1
    const header = [...file.subarray(8, quote), ...bad, ...file.subarray(quote, file.length - model.data)]
    return safetensorsBytes(Uint8Array.from(header), model.data)
  },
  'bytes after the data': (model, _, n) => fileOf({ ...model, data: model.data + 1 + (n % 100) }),
  'a cut': (model, _, n) => {
    const file = fileOf(model)
    return file.subarray(0, n % file.length)
  },
  'text around the header': (model, _, n) => {
    const text = headerText(model)
    return safetensorsBytes(
      [` ${text}`, `\ufeff${text}`, `${text},`, `${text}{}`, `${text}\0`, `[${text}]`][n % 6]!,
      model.data,
    )
  },
  'a broken mark': (model, _, n) => {
    const marks = [...headerText(model).matchAll(/[{}[\]:,](?=[^"]*(?:"[^"]*"[^"]*)*$)/g)].filter(
      () => !model.entries.some(({ name }) => /["\\{}[\]:,]/.test(name)),
    )
    const mark = marks[n % Math.max(1, marks.length)]
    if (!mark) return null
    const text = headerText(model)
    return safetensorsBytes(text.slice(0, mark.index) + ';' + text.slice(mark.index + 1), model.data)
  },
}

const ways = Object.keys(breaks)
const reader = createReader('safetensors', readSafetensors)
afterAll(reader.report)

test(
  `valid headers are accepted (seed ${seed})`,
  async () => {
    const path = join(await temporaryFolder(), 'valid.safetensors')
    await fc.assert(
      fc.asyncProperty(validModel, fc.dictionary(fc.string(), fc.string()), async (model, metadata) => {
        await writeFile(path, fileOf(model, [`"__metadata__":${json(metadata)}`]))
        const opened = await readSafetensors(path)
        expect([...opened.weights.keys()].sort()).toEqual(model.entries.map(({ name }) => name).sort())
        expect(Object.entries(opened.metadata).sort()).toEqual(Object.entries(metadata).sort())
      }),
      options,
    )
  },
  limit,
)

test(
  `broken headers are refused, whatever is broken (seed ${seed})`,
  async () => {
    const path = join(await temporaryFolder(), 'broken.safetensors')
    const seen = new Set<string>()
    let turn = 0
    await fc.assert(
      fc.asyncProperty(validModel, fc.nat(), fc.nat(), async (model, at, n) => {
        const way = ways[turn++ % ways.length]!
        const file = breaks[way]!(model, at % model.entries.length, n)
        fc.pre(file !== null)
        seen.add(way)
        expect({ way, read: await reader.read(path, file) }).toEqual({ way, read: null })
      }),
      options,
    )
    if (numRuns >= 300) expect(ways.filter((way) => !seen.has(way))).toEqual([])
  },
  limit,
)

/** The format's rules once more, by other means: JSON.parse, big integers, and a byte map. */
function obeysTheRules(file: Uint8Array): boolean {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true))
  const text = Buffer.from(file.subarray(8, 8 + length)).toString('utf8')
  const header = JSON.parse(text) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>
  const filled = new Uint8Array(file.length - 8 - length)
  for (const [name, tensor] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const [begin, end] = tensor.data_offsets
    const width = bytesPerElement[dtypeOf.get(tensor.dtype)!]
    const bytes = tensor.shape.reduce((product, size) => product * BigInt(size), BigInt(width))
    if (begin < 0 || end > filled.length || bytes !== BigInt(end - begin)) return false
    for (let i = begin; i < end; i++) if (filled[i]!++) return false
  }
  return filled.every((count) => count === 1)
}

test(
  `random edits of header bytes: what is accepted obeys the rules (seed ${seed})`,
  async () => {
    const path = join(await temporaryFolder(), 'edited.safetensors')
    await fc.assert(
      fc.asyncProperty(validModel, edits, async (model, changes) => {
        const file = edited(fileOf(model), changes, 8 + headerText(model).length)
        const opened = await reader.read(path, file)
        if (opened) expect({ opened, obeys: obeysTheRules(new Uint8Array(file)) }).toMatchObject({ obeys: true })
      }),
      options,
    )
  },
  limit,
)
