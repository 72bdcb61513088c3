import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ProblemError } from '#app/contract/errors.ts'
import { openWeightsFile } from './open.ts'
import { readSafetensors } from './safetensors.ts'
import { goldens, processorMs, safetensorsBytes, temporaryFile, temporaryFolder } from './testing.ts'

const one = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
const open = async (header: string, dataBytes: number) =>
  readSafetensors(await temporaryFile('weights.safetensors', safetensorsBytes(header, dataBytes)))

describe('hostile files', () => {
  const cases = JSON.parse(readFileSync(join(goldens, 'hostile/expected.json'), 'utf8')) as {
    file: string
    why: string
    must_say: string[]
  }[]
  // The format allows a tensor of any name; this file must only do no harm.
  const harmless = 'proto.safetensors'

  test.each(cases.filter(({ file }) => file !== harmless))('$file: $why', async ({ file, must_say }) => {
    const error: unknown = await openWeightsFile(join(goldens, 'hostile', file)).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ProblemError)
    const { code, message } = (error as ProblemError).problem
    expect(code).toBe('bad-model')
    for (const word of [file, ...must_say]) expect(message).toContain(word)
  })

  test('a tensor called __proto__ changes no prototype', async () => {
    const { weights } = await readSafetensors(join(goldens, 'hostile', harmless))
    expect([...weights.keys()]).toEqual(['__proto__'])
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(({} as Record<string, unknown>).dtype).toBeUndefined()
  })
})

describe('what the format allows', () => {
  test('scalars, tensors without elements, padding, escapes, any order, metadata', async () => {
    const header = `{ "b" : {"shape":[2,0,3],"data_offsets":[4,4],"dtype":"F16"},\n"\\u00e4\\n":${one},
      "__metadata__":{"format":"pt","__proto__":"x"}, "c":{"dtype":"I64","shape":[],"data_offsets":[4,12]}}   `
    const { weights, metadata } = await open(header, 12)
    expect([...weights.keys()]).toEqual(['b', 'ä\n', 'c'])
    expect(weights.get('c')).toMatchObject({ dtype: 'int64', shape: [], source: { length: 8 } })
    expect(Object.entries(metadata)).toEqual([
      ['format', 'pt'],
      ['__proto__', 'x'],
    ])
    expect('toString' in metadata).toBe(false)
  })

  // As safetensors 0.8.0 reads them.
  test('metadata that is null, and fields that a later version may add', async () => {
    const more = `"x":1,"y":{"z":[null,"]",{"q":-1.5e3}]},"w":true`
    const header = `{"__metadata__":null,"a":{"dtype":"F32",${more},"shape":[1],"data_offsets":[0,4]}}`
    const { weights, metadata } = await open(header, 4)
    expect([...weights.values()].map(({ name, shape }) => [name, shape])).toEqual([['a', [1]]])
    expect(Object.keys(metadata)).toEqual([])
  })

  test('no tensor at all', async () => {
    expect((await open('{}', 0)).weights.size).toBe(0)
  })
})

describe('what it does not', () => {
  const tensor = (fields: string) => `{"a":{${fields}}}`
  test.each([
    ['a key twice in a tensor', tensor('"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]'), '"shape" twice'],
    ['the same key written two ways', `{"a":${one},"\\u0061":${one}}`, '"a" twice'],
    ['metadata twice', `{"__metadata__":{},"__metadata__":{},"a":${one}}`, '"__metadata__" twice'],
    ['a metadata key twice', `{"__metadata__":{"k":"1","k":"1"},"a":${one}}`, '"k" twice'],
    ['metadata that is no string', `{"__metadata__":{"k":1},"a":${one}}`, '__metadata__ "k"'],
    ['a fraction', tensor('"dtype":"F32","shape":[1.0],"data_offsets":[0,4]'), 'shape of tensor "a": "1.0"'],
    ['an exponent', tensor('"dtype":"F32","shape":[1e0],"data_offsets":[0,4]'), '"1e0"'],
    ['minus zero', tensor('"dtype":"F32","shape":[1],"data_offsets":[-0,4]'), 'data_offsets of tensor "a"'],
    ['a leading zero', tensor('"dtype":"F32","shape":[01],"data_offsets":[0,4]'), '"01"'],
    ['a number beyond 2^53', tensor('"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]'), 'beyond 2^53'],
    ['three offsets', tensor('"dtype":"F32","shape":[1],"data_offsets":[0,4,4]'), 'two data_offsets'],
    ['no shape', tensor('"dtype":"F32","data_offsets":[0,4]'), 'tensor "a" has no shape'],
    ['a field that is no JSON', tensor('"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":[1}'), 'x of tensor "a"'],
    ['a field too deep', tensor(`"x":${'['.repeat(1000)}`), 'x of tensor "a" is nested more than 128 deep'],
    ['a format type unknown here', tensor('"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]'), 'F8_E4M3, which is'],
    ['another one', tensor('"dtype":"U16","shape":[2],"data_offsets":[0,4]'), 'U16, which is not supported'],
    ['a lone surrogate', `{"\\ud800":${one}}`, 'bad character or escape'],
    ['a control character', `{"a\n":${one}}`, 'bad character or escape'],
    ['depth', `{"a":${'['.repeat(100_000)}`, 'JSON'],
    ['a comma too many', `{"a":${one},}`, 'JSON'],
    ['something after the end', `{"a":${one}} {}`, 'nothing more'],
    ['a list', `[${one}]`, "start with '{'"],
    ['leading space', ` {"a":${one}}`, "start with '{'"],
    ['a byte order mark', `\ufeff{"a":${one}}`, "start with '{'"],
  ])('%s', async (_, header, says) => {
    await expect(open(header, 4)).rejects.toThrow(says)
  })

  test.each([
    ['a shape of 300,000 sizes', `{"a":{"dtype":"F32","shape":[${'1,'.repeat(300_000)}7],"data_offsets":[0,4]}}`],
    ['a name of 1 MB', `{"${'n'.repeat(1_000_000)}":{"dtype":"F7"}}`],
    ['a string of escapes', `{"${'\\\\"'.repeat(200_000)}`],
    ['a number of 1 MB', `{"a":{"shape":[${'9'.repeat(1_000_000)}]}}`],
    ['1 MB of spaces', `{${' '.repeat(1_000_000)}`],
    ['20,000 tensors that overlap', `{${Array.from({ length: 20_000 }, (_, i) => `"${i}":${one}`).join(',')}}`],
  ])('%s: refused in few words and little time', async (_, header) => {
    const path = await temporaryFile('wide.safetensors', safetensorsBytes(header, 4))
    let error: unknown
    const took = await processorMs(async () => {
      error = await readSafetensors(path).catch((reason: unknown) => reason)
    })
    expect(took).toBeLessThan(500)
    expect(error).toBeInstanceOf(ProblemError)
    expect((error as ProblemError).message.length).toBeLessThan(path.length + 500)
  })

  test('a hole at the start', async () => {
    await expect(open('{"a":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}', 4)).rejects.toThrow('hole of 3 bytes')
  })

  test('the offset of an empty tensor must touch its neighbours', async () => {
    const empty = '{"dtype":"F32","shape":[0],"data_offsets":[2,2]}'
    await expect(open(`{"a":${one},"e":${empty}}`, 4)).rejects.toThrow('tensor "e" overlaps')
  })
})

describe('other files under the name', () => {
  const bytes = (text: string) => Buffer.from(text.padEnd(600, '\0'), 'latin1')
  test.each([
    [
      'LFS pointer',
      `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 3\n`,
      'git lfs pull',
    ],
    ['HTML', '\n<!DOCTYPE html><html><head><title>404</title>', 'HTML page'],
    ['HTML after a comment', '<!-- saved from url --><html>', 'HTML page'],
    ['XML', '<?xml version="1.0"?><Error><Code>AccessDenied</Code>', 'XML'],
    ['error text', 'Invalid username or password.', 'text file that starts'],
    ['JSON', '{"error":"Repository not found"}', 'JSON text'],
    ['zip', bytes('PK\x03\x04'), 'zip archive'],
    ['pickle 0', '(dp0\nVweight\np1\n', 'Python pickle'],
    ['pickle 0 with a call', 'cposix\nsystem\np0\n', 'Python pickle'],
    ['pickle 1', bytes('}q\x00(X'), 'Python pickle'],
    ['pickle 2', bytes('\x80\x02}q\x00'), 'Python pickle'],
    ['pickle 4', bytes('\x80\x04\x95\x2d'), 'Python pickle'],
    ['GGUF', bytes('GGUF\x03'), 'GGUF'],
    ['HDF5', bytes('\x89HDF\r\n\x1a\n'), 'HDF5'],
    ['NumPy', bytes('\x93NUMPY\x01'), 'NumPy'],
    ['gzip', bytes('\x1f\x8b\x08'), 'gzip'],
    ['7-Zip', bytes('7z\xbc\xaf\x27\x1c'), '7-Zip'],
    ['tar', bytes(`${'name'.padEnd(257, '\0')}ustar`), 'tar archive'],
    ['ONNX', bytes('\x08\x07\x12\x07pytorch'), 'ONNX'],
    ['PNG', bytes('\x89PNG\r\n\x1a\n'), 'PNG'],
    ['MP4', bytes('\0\0\0\x20ftypisom'), 'MP4'],
    ['PDF', bytes('%PDF-1.7'), 'PDF'],
    ['SQLite', bytes('SQLite format 3\0'), 'SQLite'],
    ['ELF', bytes('\x7fELF\x02'), 'program'],
    ['zeros', bytes(''), 'unfinished download'],
    ['nothing', '', 'empty file'],
    [
      'noise',
      Buffer.from(Array.from({ length: 600 }, (_, i) => (i * 167 + 200) % 256)),
      'no safetensors file, or damaged',
    ],
  ])('%s is named', async (_, content, says) => {
    const path = await temporaryFile('model.safetensors', content)
    await expect(readSafetensors(path)).rejects.toThrow(says)
    await expect(readSafetensors(path)).rejects.toThrow(path)
  })

  test('a folder, and no file', async () => {
    const folder = await temporaryFolder()
    await expect(readSafetensors(folder)).rejects.toThrow('is not a file')
    const missing = await readSafetensors(join(folder, 'none.safetensors')).catch((error: unknown) => error)
    expect((missing as ProblemError).problem).toMatchObject({
      code: 'not-found',
      file: join(folder, 'none.safetensors'),
    })
  })

  test.skipIf(process.platform === 'win32')('a pipe does not block', async () => {
    const path = join(await temporaryFolder(), 'pipe.safetensors')
    await promisify(execFile)('mkfifo', [path])
    await expect(readSafetensors(path)).rejects.toThrow('is not a file')
  })
})

test('a file cut anywhere is refused', async () => {
  const source = join(goldens, 'checkpoints/temporal-fp16/diffusion_pytorch_model.fp16.safetensors')
  const whole = await readFile(source)
  const headerEnd = 8 + Number(whole.readBigUInt64LE(0))
  const path = await temporaryFile('cut.safetensors', whole)
  await readSafetensors(path)
  const cuts = [...Array(20)].map((_, i) => whole.length - 1 - Math.floor((i * (whole.length - headerEnd)) / 20))
  for (let cut = headerEnd; cut >= 0; cut--) cuts.push(cut)
  const accepted: number[] = []
  for (const cut of cuts) {
    await truncate(path, cut)
    const error = await readSafetensors(path).catch((reason: unknown) => reason)
    if (!(error instanceof ProblemError && error.problem.code === 'bad-model')) accepted.push(cut)
  }
  expect(accepted).toEqual([])
})

test('a header of 1 MB is read in less than ten times what it takes to parse it as JSON', async () => {
  const entries = Array.from(
    { length: 8500 },
    (_, i) =>
      `"down_blocks.${i}.attentions.0.transformer_blocks.0.attn1.to_q.weight":{"dtype":"F16","shape":[2,1],"data_offsets":[${4 * i},${4 * i + 4}]}`,
  )
  const header = `{${entries.join(',')}}`
  expect(header.length).toBeGreaterThan(1_000_000)
  const path = await temporaryFile('wide.safetensors', safetensorsBytes(header, 4 * entries.length))
  const [read, parse]: [number[], number[]] = [[], []]
  for (let run = 0; run < 7; run++) {
    read.push(await processorMs(async () => expect((await readSafetensors(path)).weights.size).toBe(entries.length)))
    parse.push(await processorMs(async () => expect(JSON.parse(header)).toBeTypeOf('object')))
  }
  expect(Math.min(...read)).toBeLessThan(10 * Math.min(...parse))
})

test('opening reads the header only: a sparse file of 3 GB opens without growing memory', async () => {
  const folder = await temporaryFolder()
  const path = join(folder, 'big.safetensors')
  const bytes = 3 * 2 ** 30
  await writeFile(path, safetensorsBytes(`{"a":{"dtype":"F32","shape":[${bytes / 4}],"data_offsets":[0,${bytes}]}}`, 0))
  await truncate(path, (await readFile(path)).length + bytes)
  const before = process.memoryUsage()
  const { weights } = await readSafetensors(path)
  const after = process.memoryUsage()
  expect(weights.get('a')?.source).toMatchObject({ length: bytes })
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(2 ** 20)
})
