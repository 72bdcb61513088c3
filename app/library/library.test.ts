import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Job } from '../contract/jobs.ts'
import { closeDatabase, openDatabase } from './database.ts'
import { newId } from './ids.ts'
import { openLibrary, type Library } from './library.ts'
import { addClip, createTestLibrary, readRecipe, testJob } from './test-library.ts'
import { testClassification, testRecipe, testSettings } from './test-results.ts'

let store: ReturnType<typeof createTestLibrary>
let dataDir: string
let library: Library
beforeEach(async () => {
  store = createTestLibrary()
  ;({ dataDir } = store)
  library = await store.open()
})
afterEach(() => {
  store.remove()
})
const reopen = async (): Promise<Library> => (library = await store.open())
const addPicture = (prompt: string, createdAt = 1000): string => addClip(library, prompt, createdAt)
const pixels = { width: 2, height: 1, count: 2, data: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) }

describe('results', () => {
  test('survive a restart, newest first', async () => {
    const [first, second] = [addPicture('one', 1), addPicture('zwei ✨', 2)]
    const classified = newId()
    await library.addClassification(testClassification(classified, 'clip.mp4'), pixels)
    const before = library.results()
    expect(before.map((result) => result.id)).toEqual([classified, second, first])
    expect((await reopen()).results()).toEqual(before)
    expect(library.notices()).toEqual([])
    const frames = await library.frames(classified)
    expect(frames).toMatchObject({ width: 2, height: 1, count: 2 })
    expect(readFileSync(frames!.file).subarray(frames!.pixelsAt)).toEqual(Buffer.from(pixels.data))
  })

  test('deleting takes file and row', async () => {
    const id = addPicture('one')
    const file = library.pictureFile(id)
    library.removeResult(id)
    expect(existsSync(file)).toBe(false)
    expect((await reopen()).results()).toEqual([])
    expect(() => {
      library.removeResult(id)
    }).toThrow(/not in the library/)
  })

  test('what was deleted comes back as it was, and stays after a restart', async () => {
    const id = addPicture('one', 5)
    const [before] = library.results()
    const bytes = readFileSync(library.pictureFile(id))
    library.removeResult(id)
    expect(library.restoreResult(id)).toEqual(before)
    expect(readFileSync(library.pictureFile(id))).toEqual(bytes)
    expect(() => library.restoreResult(id)).toThrow(/not in the bin/)
    expect((await reopen()).results()).toEqual([before])
    expect(library.notices()).toEqual([])

    const classified = newId()
    await library.addClassification(testClassification(classified, 'clip.mp4'), pixels)
    library.removeResult(classified)
    library.restoreResult(classified)
    expect(await library.frames(classified)).toMatchObject({ width: 2, height: 1, count: 2 })
  })

  test('a deleted file stays in the bin for 30 days, and may be put back by hand', async () => {
    const [kept, old] = [addPicture('kept'), addPicture('old')]
    for (const id of [kept, old]) library.removeResult(id)
    const inBin = (id: string): string => join(dataDir, 'bin', `${id}.webp`)
    const longAgo = Date.now() / 1000 - 31 * 24 * 3600
    utimesSync(inBin(old), longAgo, longAgo)
    await reopen()
    expect([existsSync(inBin(kept)), existsSync(inBin(old))]).toEqual([true, false])
    expect(() => library.restoreResult(kept)).toThrow(/not in the bin/)
    for (const stray of ['.DS_Store', 'a?b']) writeFileSync(join(dataDir, 'bin', stray), 'x')
    symlinkSync(tmpdir(), join(dataDir, 'bin', 'link'))
    renameSync(inBin(kept), library.pictureFile(kept))
    expect((await reopen()).result(kept)).toMatchObject({ title: 'kept' })
  })

  test('a clip that was not written is not recorded', () => {
    expect(() => library.addPicture(newId(), testRecipe('x'), 1, 1)).toThrow(/was not written/)
    expect(library.results()).toEqual([])
  })

  test('a file whose row was never committed comes back; a .part does not', async () => {
    const id = newId()
    writeFileSync(library.pictureFile(id), JSON.stringify(testRecipe('from the file')))
    writeFileSync(`${library.pictureFile(newId())}.123-0badcafe.part`, 'half')
    await reopen()
    expect(library.result(id)).toMatchObject({ kind: 'clip', title: 'from the file', width: 64, numFrames: 8 })
    expect(library.notices().join()).toMatch(/1 result came back/)
    expect(readdirSync(join(dataDir, 'clips'))).toEqual([`${id}.webp`])
    expect((await reopen()).notices()).toEqual([])
  })

  test('a row without its file is told and set aside', async () => {
    const id = addPicture('gone')
    rmSync(library.pictureFile(id))
    await reopen()
    expect(library.results()).toEqual([])
    expect(library.notices().join()).toMatch(/1 clip of the library had no file any more: "gone"/)
    expect((await reopen()).notices()).toEqual([])
  })

  test('a file that tells nothing about itself is left where it is and named', async () => {
    const file = library.pictureFile(newId())
    writeFileSync(file, 'not a clip')
    await reopen()
    expect(library.notices().join()).toContain(basename(file))
    expect(existsSync(file)).toBe(true)
  })
})

describe('damage', () => {
  test('no database at all: rows are made again from the files', async () => {
    for (let n = 0; n < 20; n++) addPicture(`clip ${n}`, n)
    const classified = newId()
    await library.addClassification(testClassification(classified, 'clip.mp4'), pixels)
    const ids = library.results().map((result) => result.id)
    store.close()
    writeFileSync(store.database, 'this is not a database '.repeat(500))
    library = await store.open()
    expect(new Set(library.results().map((result) => result.id))).toEqual(new Set(ids))
    expect(library.notices().join()).toMatch(/damaged/)
    const kept = readdirSync(dataDir).filter((name) => name.includes('.damaged-'))
    expect(kept).toHaveLength(1)
    expect(readFileSync(join(dataDir, kept[0]!), 'utf8')).toContain('this is not a database')
  })

  test('pages flipped one by one: nothing is lost in silence', async () => {
    library.saveSettings({ theme: 'dark', memoryBudgetMiB: 777, threads: null, modelFolders: [] })
    for (let n = 0; n < 60; n++) addPicture(`clip ${n} `.repeat(20), n)
    const ids = new Set(library.results().map((result) => result.id))
    store.close()
    const sound = readFileSync(store.database)
    const pages = sound.length / 4096
    expect(pages).toBeGreaterThan(20)
    let repaired = 0
    for (let page = 0; page < pages; page++) {
      const flipped = Buffer.from(sound)
      for (let at = page * 4096; at < (page + 1) * 4096; at++) flipped[at]! ^= 0x5a
      writeFileSync(store.database, flipped)
      library = await store.open()
      expect(new Set(library.results().map((result) => result.id)), `page ${page}`).toEqual(ids)
      expect(library.results().every((result) => result.title.startsWith('clip '))).toBe(true)
      const { theme, memoryBudgetMiB } = library.settings()
      if (theme !== 'dark' || memoryBudgetMiB !== 777)
        expect(library.notices().join(), `page ${page}`).toMatch(/damaged|setting/)
      if (library.notices().length > 0) repaired++
      store.close()
    }
    expect(repaired).toBeGreaterThan(pages / 2)
    library = await store.open()
  })

  test('one changed letter in a row is noticed', async () => {
    addPicture('a blue star')
    store.close()
    const bytes = readFileSync(store.database)
    const at = bytes.lastIndexOf('a blue star')
    expect(at).toBeGreaterThan(0)
    bytes.write('a blua star', at)
    writeFileSync(store.database, bytes)
    library = await store.open()
    expect(library.results().map((result) => result.title)).toEqual(['a blue star'])
    expect(library.notices().join()).toMatch(/came back/)
  })

  test('a folder that is open elsewhere is refused in words, and stays whole', async () => {
    addPicture('mine')
    await expect(openLibrary({ dataDir, readRecipe, totalMemoryBytes: 1, waitMs: 50 })).rejects.toMatchObject({
      problem: { code: 'unsupported', message: expect.stringContaining('Another Frameloom') as string },
    })
    expect((await reopen()).results()).toHaveLength(1)
  })
})

describe('jobs', () => {
  const job = (status: Job['status'], createdAt: number): Job =>
    testJob(status, { createdAt, secondsLeft: 3, previewStep: 1 })

  test('come back: queued ones in order, running ones as interrupted, done ones not', async () => {
    const jobs = (['done', 'cancelled', 'failed', 'running', 'loading', 'queued'] as const).map((status, at) =>
      job(status, at),
    )
    for (const one of jobs) library.putJob({ job: one, request: { pipeline: 'text-to-video', settings: testSettings } })
    library.putJob({ job: jobs[3]!, request: { pipeline: 'text-to-video', settings: testSettings } })
    const restored = (await reopen()).restoredJobs.map(({ job }) => [job.title, job.status, job.problem?.code])
    expect(restored).toEqual([
      ['failed', 'failed', undefined],
      ['running', 'interrupted', 'engine-lost'],
      ['loading', 'interrupted', 'engine-lost'],
      ['queued', 'queued', undefined],
    ])
    expect(library.restoredJobs[1]?.job).not.toHaveProperty('secondsLeft')
  })

  test('an upload stays over a restart only while a job that waits, or may be run again, needs it', async () => {
    const body = async function* () {
      yield await Promise.resolve(Buffer.from('a clip'))
    }
    const needed = await library.uploads.receive({ name: 'a.mp4', body: body(), limit: 100 })
    const idle = await library.uploads.receive({ name: 'b.mp4', body: body(), limit: 100 })
    const { settings } = testClassification('x', 'a.mp4')
    library.putJob({
      job: { ...job('queued', 1), pipeline: 'video-classification' },
      request: { pipeline: 'video-classification', settings, source: { upload: needed } },
    })
    const lost = await library.uploads.receive({ name: 'c.mp4', body: body(), limit: 100 })
    library.putJob({
      job: { ...job('running', 2), pipeline: 'video-classification' },
      request: { pipeline: 'video-classification', settings, source: { upload: lost } },
    })
    await reopen()
    expect(library.uploads.get(needed.id)).toEqual(needed)
    expect(library.uploads.get(lost.id)).toEqual(lost)
    expect(readFileSync(library.uploads.file(needed), 'utf8')).toBe('a clip')
    expect(library.uploads.get(idle.id)).toBeUndefined()
    expect(readdirSync(join(dataDir, 'uploads')).sort()).toEqual([needed.id, lost.id].sort())
    library.uploads.expire(Date.now() + 2000, 1000)
    expect(readdirSync(join(dataDir, 'uploads'))).toEqual([needed.id])
  })
})

test('the folder is the user’s alone', () => {
  if (process.platform === 'win32') return
  expect(statSync(join(dataDir, 'uploads')).mode & 0o77).toBe(0)
})

describe('processor maps', () => {
  const plain = { processor: 'AttnProcessor' } as const
  const map = { 'a.processor': { processor: 'SlicedAttnProcessor', slice_size: 2 }, 'b.processor': plain } as const

  test('are kept under their names, in their order, over a restart', async () => {
    library.processorMaps.save('zebra', plain)
    library.processorMaps.save('Ähre ✨', map)
    library.processorMaps.save('apple', map)
    const before = library.processorMaps.list()
    expect(before.map(({ name }) => name)).toEqual(['apple', 'zebra', 'Ähre ✨'])
    expect((await reopen()).processorMaps.list()).toEqual(before)
    expect(library.processorMaps.get('APPLE').processors).toEqual(map)
  })

  test('are replaced only when that was asked for, whatever the case of the name', () => {
    library.processorMaps.save('low', plain)
    expect(() => library.processorMaps.save('Low', map)).toThrow(/"Low" already/)
    library.processorMaps.save('Low', map, true)
    expect(library.processorMaps.list()).toMatchObject([{ name: 'Low', processors: map }])
  })

  test('are renamed and deleted; a name that is not there is told with those that are', async () => {
    library.processorMaps.save('one', plain)
    library.processorMaps.save('two', map)
    expect(() => library.processorMaps.rename('one', 'TWO')).toThrow(/already/)
    library.processorMaps.rename('one', 'One')
    library.processorMaps.rename('two', 'three')
    library.processorMaps.remove('one')
    expect((await reopen()).processorMaps.list()).toMatchObject([{ name: 'three', processors: map }])
    expect(() => library.processorMaps.get('two')).toThrow(/no processor map "two".*three/)
  })

  test('that cannot be read are set aside', async () => {
    library.processorMaps.save('good', map)
    library.processorMaps.save('bad', plain)
    store.close()
    const { db } = openDatabase(store.database)
    db.exec(`UPDATE processor_maps SET processors = '{"processor":"Nope"}' WHERE name = 'bad'`)
    closeDatabase(db)
    library = await store.open()
    expect(library.processorMaps.list()).toMatchObject([{ name: 'good' }])
    store.close()
    const { db: again } = openDatabase(store.database)
    expect(again.prepare('SELECT origin, key FROM set_aside').all()).toEqual([{ origin: 'processor_maps', key: 'bad' }])
    closeDatabase(again)
    library = await store.open()
  })
})

test('a model is written to a new folder among the models, of a plain name', () => {
  const folder = library.newModelFolder('my-motion')
  expect(folder).toBe(join(realpathSync(dataDir), 'models/my-motion'))
  mkdirSync(folder)
  for (const name of ['my-motion', '../x', 'a/b', '', 'con', '.hidden'])
    expect(() => library.newModelFolder(name), name).toThrow(/already|cannot be/)
})
