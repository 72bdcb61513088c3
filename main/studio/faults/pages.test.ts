import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AppSettings } from '#app/contract/settings.ts'
import type { Library } from '#app/library/library.ts'
import { addClip, createTestLibrary, testJob } from '#app/library/test-library.ts'
import { testSettings } from '#app/library/test-results.ts'
import { drawn, isLong, report } from './test-long.ts'

// What a disk does to the pages of library.sqlite while nobody looks, and what must hold after each: the library
// opens, every clip is there as it was, what else was lost is told, the damaged file is kept, deleting works, and the
// next start finds nothing more to repair.

const pageSize = 4096
const [clips, maps, jobs] = isLong ? [150, 40, 20] : [12, 3, 2]

type Change = (bytes: Buffer, at: number, random: () => number) => Buffer
const changed = (change: (page: Buffer, random: () => number, bytes: Buffer) => void): Change => {
  return (bytes, at, random) => {
    change(bytes.subarray(at, at + pageSize), random, bytes)
    return bytes
  }
}
const anyOf = (count: number, random: () => number): number => Math.floor(random() * count)

/** How often each is done to each page, in the short form and in the long one. */
const damages: Record<string, { change: Change; short: number; long: number }> = {
  'one bit flipped': {
    change: changed((page, random) => (page[anyOf(pageSize, random)]! ^= 1 << anyOf(8, random))),
    short: 2,
    long: 12,
  },
  zeroed: { change: changed((page) => page.fill(0)), short: 1, long: 1 },
  'half of it zeroed': { change: changed((page) => page.fill(0, pageSize / 2)), short: 0, long: 1 },
  random: {
    change: changed((page, random) => page.forEach((_, i) => (page[i] = anyOf(256, random)))),
    short: 0,
    long: 1,
  },
  'another page in its place': {
    change: changed((page, random, bytes) => {
      const from = anyOf(bytes.length / pageSize, random) * pageSize
      page.set(Buffer.from(bytes.subarray(from, from + pageSize)))
    }),
    short: 0,
    long: 2,
  },
  'cut before it': { change: (bytes, at) => bytes.subarray(0, at), short: 1, long: 1 },
  'cut in the middle of it': { change: (bytes, at) => bytes.subarray(0, at + pageSize / 2), short: 0, long: 1 },
}

let store: ReturnType<typeof createTestLibrary>
let sound: Buffer
let before: ReturnType<typeof stateOf>

const settings: AppSettings = {
  theme: 'dark',
  memoryBudgetMiB: 777,
  threads: null,
  modelFolders: ['/models/one', '/models/two'],
}
const byId = <T extends { id: string }>(list: readonly T[]): T[] => list.toSorted((a, b) => (a.id < b.id ? -1 : 1))
const stateOf = (library: Library) => ({
  clips: byId(library.results()).map((result) => ({ ...result, createdAt: 0 })),
  times: byId(library.results()).map(({ createdAt }) => createdAt),
  settings: library.settings(),
  maps: library.processorMaps.list(),
  jobs: library.restoredJobs,
})
const told = (library: Library): string => library.notices().join('\n')

beforeAll(async () => {
  store = createTestLibrary()
  const library = await store.open()
  library.saveSettings(settings)
  for (let i = 0; i < maps; i++)
    library.processorMaps.save(`map ${i}`, { processor: 'SlicedAttnProcessor', slice_size: i + 1 })
  for (let i = 0; i < clips; i++) addClip(library, `a clip of the number ${i}`, 1000 + i)
  for (let i = 0; i < jobs; i++)
    library.putJob({ job: testJob('failed'), request: { pipeline: 'text-to-video', settings: testSettings } })
  before = stateOf(await store.open())
  expect(before.clips).toHaveLength(clips)
  expect(before.jobs).toHaveLength(jobs)
  store.close()
  sound = readFileSync(store.database)
  expect(sound.length % pageSize).toBe(0)
})
afterAll(() => store.remove())

const kept = (): string[] => readdirSync(store.dataDir).filter((name) => name.includes('.damaged-'))

async function tryOne(bytes: Buffer, where: string): Promise<'untouched' | 'told'> {
  for (const name of readdirSync(store.dataDir).filter((name) => name.startsWith('library.sqlite')))
    rmSync(store.at(name))
  writeFileSync(store.database, bytes)
  const library = await store.open()
  const after = stateOf(library)
  expect(after.clips, where).toEqual(before.clips)
  const isSame = JSON.stringify(after) === JSON.stringify(before)
  if (!isSame) expect(told(library), where).toMatch(/damaged|could not be|came back|vanished|is empty|not be what/)
  if (/was damaged/.test(told(library))) expect(kept(), where).toHaveLength(1)
  const [clip] = library.results()
  library.removeResult(clip!.id)
  library.restoreResult(clip!.id)
  const again = await store.open()
  expect(told(again), where).toBe('')
  expect({ ...stateOf(again), times: after.times }, where).toEqual(after)
  store.close()
  return isSame ? 'untouched' : 'told'
}

test.each(Object.entries(damages).filter(([, { short }]) => isLong || short > 0))(
  'each page of the library, %s',
  async (name, { change, short, long }) => {
    const random = drawn(name)
    const count = { untouched: 0, told: 0 }
    for (let at = 0; at < sound.length; at += pageSize)
      for (let n = 0; n < (isLong ? long : short); n++)
        count[await tryOne(change(Buffer.from(sound), at, random), `${name}: page ${at / pageSize}, ${n}`)]++
    if (isLong) report(`pages ${name}: ${count.untouched + count.told} tried, ${count.untouched} without loss`)
  },
)
