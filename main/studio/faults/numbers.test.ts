import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { setWriteFault } from '#app/files/write-fault.ts'
import { openDamagedModels, weightFiles, type WeightFile } from '#app/pipelines/node/test-damaged.ts'
import { drawn, isLong, report } from './test-long.ts'

// What the engine does with bad numbers in weights, and with a disk that takes no clip. A few tensors of each family
// with the other kinds of number: app/pipelines/node/damaged.test.ts.

let models: Awaited<ReturnType<typeof openDamagedModels>>
beforeAll(async () => {
  models = await openDamagedModels()
})
afterAll(() => models.remove())

/** What a run from a prompt does not read. */
const isRead = (key: string): boolean => !/^(encoder|quant_conv)\./.test(key)

/** One number in the middle; of a table, of which a run reads some rows, all. */
const put =
  (key: string, number: number) =>
  (values: Float32Array): void => {
    if (/embed|\.pe$/.test(key)) values.fill(number)
    else values[values.length >> 1] = number
  }

/** Of each file one tensor, or in the long form every third. */
async function tensorsOf(name: WeightFile, random: () => number): Promise<string[]> {
  const keys = [...(await models.weightsOf(name)).keys()].filter((key) => name !== weightFiles.vae || isRead(key))
  if (!isLong) return [keys[Math.floor(random() * keys.length)]!]
  const first = Math.floor(random() * 3)
  return keys.filter((_, i) => i % 3 === first)
}

test.each(Object.entries(weightFiles))(
  'NaN and infinity in tensors of the %s are named, not used',
  async (family, name) => {
    const random = drawn(family)
    const tensors = await tensorsOf(name, random)
    let tried = 0
    for (const key of tensors)
      for (const number of [NaN, Infinity])
        for (const precision of ['float32', 'int8'] as const) {
          const run = name === weightFiles.classifier ? models.look : models.make
          const { problem } = await models.changed(name, key, put(key, number), () => run(precision))
          const where = `${key} ${number} ${precision}`
          expect(problem, where).toMatchObject({ code: 'not-finite', field: key })
          expect(problem!.file?.endsWith(name), where).toBe(true)
          expect(readdirSync(models.out), where).toEqual([])
          tried++
        }
    if (isLong) report(`NaN and infinity in the ${family}: ${tried} tried in ${tensors.length} tensors, all named`)
  },
)

const diskCases = ['ENOSPC', 'EIO'].flatMap((code) => ['', '-'].map((onward) => [code, onward] as const))

test.each(diskCases.filter((_, i) => isLong || i === 0 || i === 3))(
  '%s%s at any write of a clip: nothing half is left, and the words say why',
  async (code, onward) => {
    setWriteFault()
    expect((await models.make('float32')).result).toMatchObject({ kind: 'picture' })
    const writes = setWriteFault()
    expect(writes).toBeGreaterThanOrEqual(4)
    for (let n = 0; n < writes; n++) {
      for (const file of readdirSync(models.out)) models.forget(file)
      setWriteFault(`${code}:${n}${onward}`)
      const { problem, result } = await models.make('float32')
      setWriteFault()
      // What fails after the file has its name leaves it whole.
      const isThere = readdirSync(models.out)
      expect(result, `${n}${onward}`).toBeUndefined()
      expect(problem, `${n}${onward}`).toMatchObject({ code: 'disk' })
      expect(problem!.message).toMatch(code === 'EIO' ? /disk reported an error/ : /disk is full/)
      expect(isThere.filter((name) => name !== 'clip.webp')).toEqual([])
    }
    if (isLong) report(`${code}${onward} at each of ${writes} writes of the engine for a clip`)
  },
)
