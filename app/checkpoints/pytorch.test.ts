import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readPytorch } from './pytorch.ts'
import { readWeight } from './read.ts'
import { readSafetensors } from './safetensors.ts'
import { goldens, temporaryFile } from './testing.ts'
import type { Weights } from './weights.ts'
import { zipBytes } from './zip-testing.ts'

const checkpoint = (name: string) => join(goldens, 'checkpoints', name)

async function expectSame(ours: Weights, reference: Weights): Promise<void> {
  expect([...ours.keys()].sort()).toEqual([...reference.keys()].sort())
  for (const [name, weight] of ours)
    expect(await readWeight(weight), name).toEqual(await readWeight(reference.get(name)!))
}

describe('agrees with the same weights as safetensors', () => {
  const motion = checkpoint('temporal-motion/diffusion_pytorch_model.safetensors')

  test('a state dict: every tensor is a range of the file', async () => {
    const file = checkpoint('temporal-bin/diffusion_pytorch_model.bin')
    const { weights } = await readPytorch(file)
    for (const { source } of weights.values()) expect(source).toMatchObject({ file })
    await expectSame(weights, (await readSafetensors(motion)).weights)
  })

  test('strided views, parameters and a nested state_dict', async () => {
    const { weights } = await readPytorch(checkpoint('temporal-bin-strided/diffusion_pytorch_model.bin'))
    const gathered = [...weights.values()].filter(({ source }) => 'bytes' in source)
    expect(gathered.length).toBeGreaterThan(0)
    await expectSame(weights, (await readSafetensors(motion)).weights)
  })

  test('a training checkpoint: every dtype and kind of view, among an optimiser, numpy values, sets and dates', async () => {
    const { weights } = await readPytorch(checkpoint('torch-values/training.ckpt'))
    const reference = await readSafetensors(checkpoint('torch-values/values.safetensors'))
    await expectSame(weights, reference.weights)
    const inMemory = [...weights.values()].filter(({ source }) => 'bytes' in source).map(({ name }) => name)
    expect(inMemory.sort()).toEqual(['channels_last', 'columns', 'expanded', 'permuted', 'stepped', 'transposed'])
  })
})

/** A torch zip around this pickle (without its PROTO and STOP), with one storage of 4 float32. */
const torchFile = (pickle: string, more: Parameters<typeof zipBytes>[0] = []) =>
  temporaryFile(
    'weights.ckpt',
    zipBytes([
      { name: 'a/data.pkl', bytes: Buffer.from(`\x80\x02${pickle}.`, 'latin1') },
      { name: 'a/byteorder', bytes: Buffer.from('little') },
      { name: 'a/data/0', bytes: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) },
      ...more,
    ]),
  )

const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`
const storage = (type = 'FloatStorage', key = '0', elements = 4) =>
  `(${text('storage')}ctorch\n${type}\n${text(key)}${text('cpu')}K${String.fromCharCode(elements)}tQ`
/** A dict with one tensor; sizes and strides are two numbers below 256. */
const tensor = (inner: string, sizes = '\x02\x02', strides = '\x02\x01', start = '\0') =>
  `}${text('w')}ctorch._utils\n_rebuild_tensor_v2\n(${inner}K${start}K${sizes[0]}K${sizes[1]}\x86K${strides[0]}K${strides[1]}\x86\x89ccollections\nOrderedDict\n)RtRs`

describe('pickles', () => {
  test('the plain one reads', async () => {
    const { weights } = await readPytorch(await torchFile(tensor(storage())))
    expect(await readWeight(weights.get('w')!)).toEqual({
      dtype: 'float32',
      shape: [2, 2],
      data: Float32Array.of(1, 2, 3, 4),
    })
  })

  test.each([
    ['system', `cposix\nsystem\n${text('touch PWNED')}\x85R`, '"posix.system"'],
    ['eval', `c__builtin__\neval\n${text('1')}\x85R`, '"__builtin__.eval"'],
    ['a stack global', `\x8c\x02os\x8c\x06system\x93${text('touch PWNED')}\x85R`, '"os.system"'],
    ['a name of a prototype', 'c__proto__\nconstructor\n)R', '"__proto__.constructor"'],
    ['a name of our own objects', 'cconstructor\n\n)R', '"constructor."'],
    ['torch.load inside', `ctorch\nload\n${text('x')}\x85R`, '"torch.load"'],
    ['a storage type called', 'ctorch\nFloatStorage\n)R', 'torch.FloatStorage, which is never done'],
    ['a complex tensor', tensor(storage('ComplexFloatStorage')), 'element type that is not supported'],
    ['another persistent id', `${text('module')}Q`, 'storage in it is not described'],
    ['instances', '(cos\nsystem\no', 'os.system'],
    ['an extension', '\x82\x01', 'opcode 0x82'],
    ['an old text opcode', 'I1\n', 'opcode 0x49'],
    ['the key twice', `}(${text('a')}K\x01${text('a')}K\x02u`, '"a" twice'],
    ['no dict', 'K\x01', 'no dict of tensors'],
    ['no tensors', `}${text('epoch')}K\x01s`, 'keys: "epoch"'],
    ['an empty stack', '0', 'takes more than it has'],
    ['no mark', 't', 'takes more than it has'],
    ['an unknown memo', 'h\x07', 'memo 7'],
    ['a string past the end', 'X\xff\xff\0\0x', 'cut short'],
    ['a size beyond the end', '\x8d\xff\xff\xff\xff\xff\xff\xff\xff', 'cut short'],
    ['a string of bad UTF-8', 'X\x01\0\0\0\xff', 'not UTF-8'],
    ['a huge integer', '\x8b\0\0\0\x01', 'integer of 16777216 bytes'],
    [
      'lists built again and again',
      `](${'N'.repeat(500)}eq\x010h\x01\x85ccollections\nOrderedDict\nh\x01\x85R`,
      'pairs',
    ],
    ['a tensor without a storage', tensor('K\x01'), 'not built from a storage'],
    ['a view past its storage', tensor(storage(), '\x02\x02', '\x02\x01', '\x01'), 'past the end of its storage'],
    ['a stride past its storage', tensor(storage(), '\x02\x02', '\xff\x01'), 'past the end of its storage'],
    ['a storage larger than its entry', tensor(storage('FloatStorage', '0', 5)), 'should have 20 bytes and has 16'],
    ['a storage that is not there', tensor(storage('FloatStorage', '9')), '"a/data/9", which the zip does not have'],
    ['a storage outside', tensor(storage('FloatStorage', '../byteorder')), 'which the zip does not have'],
    ['an expanded view', tensor(storage(), '\xff\xff', '\0\0'), 'repeats its storage'],
  ])('%s: refused', async (_, pickle, says) => {
    const before = await readdir('.')
    await expect(readPytorch(await torchFile(pickle))).rejects.toThrow(says)
    expect(await readdir('.')).toEqual(before)
  })

  test('the hostile golden creates no file', async () => {
    const before = await readdir('.')
    await expect(readPytorch(join(goldens, 'hostile/runs-code.bin'))).rejects.toThrow('"posix.system"')
    expect(await readdir('.')).toEqual(before)
    await expect(stat('PWNED')).rejects.toThrow('ENOENT')
  })
})

describe('zips', () => {
  const pickle = { name: 'a/data.pkl', bytes: Buffer.from(`\x80\x02${tensor(storage())}.`, 'latin1') }
  const data = { name: 'a/data/0', bytes: new Uint8Array(16) }
  const open = async (...args: Parameters<typeof zipBytes>) =>
    readPytorch(await temporaryFile('weights.pt', zipBytes(...args)))

  test('zip64, and a comment at the end', async () => {
    for (const options of [{ zip64: true }, { comment: 'PK\x05\x06 not the end' }])
      expect((await open([pickle, data], options)).weights.get('w')).toMatchObject({ source: { length: 16 } })
  })

  test.each([
    ['compressed', [pickle, { ...data, method: 8 }], '"a/data/0" is compressed (method 8)'],
    ['encrypted', [pickle, { ...data, flags: 1 }], '"a/data/0" is encrypted'],
    ['twice the same', [pickle, data, data], '"a/data/0" is there twice'],
    ['without a pickle', [data], 'a zip archive that is no PyTorch checkpoint (it holds "a/data/0"'],
    ['of NumPy arrays', [{ ...data, name: 'arr_0.npy' }], 'NumPy archive'],
    ['two pickles', [pickle, { ...pickle, name: 'b/data.pkl' }, data], '2 data.pkl'],
    ['TorchScript', [pickle, data, { name: 'a/code/m.py', bytes: data.bytes }], 'TorchScript'],
    ['big-endian', [pickle, data, { name: 'a/byteorder', bytes: Buffer.from('big') }], 'byte order is "big"'],
    ['damaged pickle', [{ ...pickle, crc32: 7 }, data], 'check sum'],
    ['other local name', [pickle, { ...data, localName: 'a/data/1' }], 'is not where the directory says'],
  ])('%s: refused', async (_, entries, says) => {
    await expect(open(entries)).rejects.toThrow(says)
  })

  test.each([
    ['weights.bin', '\x80\x02}q\0.', 'no zip, it is a bare Python pickle'],
    ['weights.bin', 'version https://git-lfs.github.com/spec/v1\n', 'Git LFS pointer'],
    [
      'weights.ckpt',
      '\x3c\0\0\0\0\0\0\0{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}\0\0\0\0',
      'safetensors',
    ],
    ['weights.pt', '', 'empty file'],
    ['weights.pth', '\xde\xad\xbe\xef', 'no zip'],
  ])('%s that is something else', async (name, content, says) => {
    await expect(readPytorch(await temporaryFile(name, Buffer.from(content, 'latin1')))).rejects.toThrow(says)
  })

  test('cut anywhere: refused', async () => {
    const whole = await readFile(checkpoint('torch-values/training.ckpt'))
    for (let cut = 0; cut < whole.length; cut += 41) {
      const path = await temporaryFile('cut.ckpt', whole.subarray(0, cut))
      await expect(readPytorch(path), `at ${cut}`).rejects.toThrow(path)
    }
  })
})
