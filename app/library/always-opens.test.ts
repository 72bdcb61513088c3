import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AppSettings } from '../contract/settings.ts'
import { newId } from './ids.ts'
import type { Library } from './library.ts'
import { addClip, createTestLibrary, testJob, writeClip } from './test-library.ts'
import { testClassification, testSettings } from './test-results.ts'

const settings: AppSettings = { theme: 'dark', memoryBudgetMiB: 777, threads: null, modelFolders: [] }
const plain = { processor: 'AttnProcessor' } as const

let store: ReturnType<typeof createTestLibrary>
let library: Library
/** Those of the library that each test begins with. */
let ids: string[]
beforeEach(async () => {
  store = createTestLibrary()
  library = await store.open()
  library.saveSettings(settings)
  library.processorMaps.save('low', plain)
  ids = ['one', 'two', 'three'].map((prompt, at) => addClip(library, prompt, at))
})
afterEach(() => {
  store.remove()
})

const resultIds = (): string[] => library.results().map(({ id }) => id)
const told = (): string => library.notices().join('\n')
/** Opens it after `change`, which finds it closed. */
async function reopenAfter(change: () => void): Promise<void> {
  store.close()
  change()
  library = await store.open()
}
const sql = (text: string) => () => {
  const db = new DatabaseSync(store.database)
  db.exec(text)
  db.close()
}

describe('strangers in its folders', () => {
  const folders = ['clips', 'classifications', 'uploads']
  const odd = ['.x.part', '~x.part', 'x.part', 'a b.part', 'notes.txt', 'clip.webp', 'CON', 'a.']
  const litter = ['.DS_Store', '.nfs0001', 'Thumbs.db', 'desktop.ini']

  test.each(folders)('are left alone in %s, and those that nobody hid are named', async (folder) => {
    await reopenAfter(() => {
      for (const name of [...odd, ...litter]) writeFileSync(store.at(folder, name), 'mine')
      mkdirSync(store.at(folder, 'a folder'))
    })
    expect(resultIds()).toHaveLength(3)
    expect(readdirSync(store.at(folder))).toEqual(expect.arrayContaining([...odd, ...litter, 'a folder']))
    expect(library.notices()).toHaveLength(1)
    expect(told()).toMatch(/^8 files in the library's folders are none of its own: /)
  })

  test.runIf(process.platform !== 'win32')('links and pipes under its own names are passed over', async () => {
    const [linked, piped, folder] = [newId(), newId(), newId()]
    const outside = join(mkdtempSync(join(tmpdir(), 'frameloom-outside-')), 'a')
    writeFileSync(outside, 'outside')
    await reopenAfter(() => {
      symlinkSync(outside, store.at('clips', `${linked}.webp`))
      symlinkSync(outside, store.at('uploads', newId()))
      symlinkSync(store.at('nowhere'), store.at('clips', `${newId()}.webp.1-0badcafe.part`))
      execFileSync('mkfifo', [store.at('clips', `${piped}.webp`)])
      mkdirSync(store.at('classifications', `${folder}.frames`))
    })
    expect(resultIds()).toHaveLength(3)
    expect(told()).toMatch(/3 files could not be read as clips/)
    expect(readFileSync(outside, 'utf8')).toBe('outside')
    expect(readdirSync(store.at('uploads'))).toEqual([])
  })

  test.runIf(process.platform !== 'win32')('a clip is deleted whatever is in its place', async () => {
    const outside = join(mkdtempSync(join(tmpdir(), 'frameloom-outside-')), 'a')
    writeFileSync(outside, 'outside')
    const [one = '', two = ''] = ids
    await reopenAfter(() => {
      renameSync(store.at('clips', `${one}.webp`), store.at('was-one'))
      symlinkSync(outside, store.at('clips', `${one}.webp`))
      renameSync(store.at('clips', `${two}.webp`), store.at('was-two'))
      mkdirSync(store.at('clips', `${two}.webp`, 'deep'), { recursive: true })
    })
    expect(told()).toMatch(/The file of 2 clips is not as it was saved: "one", "two"/)
    for (const id of ids) library.removeResult(id)
    expect(resultIds()).toEqual([])
    expect(readdirSync(store.at('clips'))).toEqual([])
    expect(readFileSync(outside, 'utf8')).toBe('outside')
  })
})

describe('its own folders', () => {
  test.runIf(process.platform !== 'win32')('may be links to another disk, as may the database', async () => {
    const disk = mkdtempSync(join(tmpdir(), 'frameloom-disk-'))
    await reopenAfter(() => {
      for (const name of ['clips', 'scratch', 'library.sqlite']) {
        renameSync(store.at(name), join(disk, name))
        symlinkSync(join(disk, name), store.at(name))
      }
      writeFileSync(join(disk, 'scratch', 'theirs'), 'theirs')
    })
    expect(library.notices()).toEqual([])
    expect(new Set(resultIds())).toEqual(new Set(ids))
    expect(library.settings()).toEqual(settings)
    library.removeResult(ids[0]!)
    expect(readdirSync(join(disk, 'clips'))).toHaveLength(2)
    expect(readdirSync(join(disk, 'scratch'))).toEqual(['theirs'])
  })

  test.each(['clips', 'classifications', 'uploads', 'scratch'])('%s is made anew where a file is', async (name) => {
    await reopenAfter(() => {
      if (existsSync(store.at(name))) renameSync(store.at(name), store.at(`was-${name}`))
      writeFileSync(store.at(name), 'a file')
    })
    store.close()
    const kept = readdirSync(store.dataDir).filter((one) => one.startsWith(`${name}.aside-`))
    expect(kept).toHaveLength(1)
    expect(readFileSync(store.at(kept[0]!), 'utf8')).toBe('a file')
    expect(told()).toMatch(new RegExp(`${name} is no folder`))
  })

  test.runIf(process.platform !== 'win32')('a link to a disk that is not there is kept, and told', async () => {
    await reopenAfter(() => {
      renameSync(store.at('clips'), store.at('far'))
      symlinkSync(store.at('gone/clips'), store.at('clips'))
    })
    expect(told()).toMatch(/clips is no folder, or leads to none/)
    expect(told()).toMatch(/3 clips of the library had no file any more/)
    await reopenAfter(() => {
      renameSync(store.at('clips'), store.at('empty'))
      renameSync(store.at('far'), store.at('clips'))
    })
    expect(new Set(resultIds())).toEqual(new Set(ids))
  })
})

describe('the database', () => {
  test('any bit of its header flipped: all results are there, and what is lost is told', async () => {
    store.close()
    const sound = readFileSync(store.database)
    for (let at = 0; at < 100; at++) {
      const flipped = Buffer.from(sound)
      flipped[at]! ^= 1 << (at % 8)
      writeFileSync(store.database, flipped)
      library = await store.open()
      expect(new Set(resultIds()), `byte ${at}`).toEqual(new Set(ids))
      const whole = library.settings().theme === 'dark' && library.processorMaps.list().length === 1
      if (!whole) expect(told(), `byte ${at}`).toMatch(/damaged/)
      store.close()
    }
    library = await store.open()
  })

  test.each([0, 1, 2, 4, 7, 258, 0x7fffffff, -1])(
    'a version number of %i on known tables is damage',
    async (version) => {
      await reopenAfter(sql(`PRAGMA user_version = ${version}`))
      expect(new Set(resultIds())).toEqual(new Set(ids))
      expect(library.settings()).toEqual(settings)
      expect(told()).toMatch(/3 results, 4 settings, 1 processor map, 0 jobs/)
    },
  )

  test.each(['results', 'settings', 'jobs', 'processor_maps', 'set_aside'])('the table %s is lost', async (table) => {
    await reopenAfter(sql(`DROP TABLE ${table}`))
    expect(new Set(resultIds())).toEqual(new Set(ids))
    expect(told()).toMatch(table === 'processor_maps' ? /0 processor maps/ : /1 processor map,/)
    expect(library.settings().theme).toBe(table === 'settings' ? 'system' : 'dark')
  })

  test.each(['-wal', '-journal', ''])('a folder where its file%s should be', async (tail) => {
    await reopenAfter(() => {
      if (tail === '') renameSync(store.database, store.at('was'))
      mkdirSync(store.database + tail)
    })
    expect(new Set(resultIds())).toEqual(new Set(ids))
    expect(told()).toMatch(/damaged/)
  })

  test.each([
    ['is missing', () => renameSync(store.database, store.at('was'))],
    ['is empty', () => writeFileSync(store.database, '')],
  ])('one that %s beside clips is told; a first start is not', async (words, change) => {
    await reopenAfter(change)
    expect(new Set(resultIds())).toEqual(new Set(ids))
    expect(told()).toContain(words)
    expect(told()).toMatch(/Settings and processor maps begin anew/)
    const first = createTestLibrary()
    expect((await first.open()).notices()).toEqual([])
    first.remove()
  })

  test('one of another program is kept, and told', async () => {
    await reopenAfter(() => {
      renameSync(store.database, store.at('was'))
      sql('CREATE TABLE theirs (a TEXT); INSERT INTO theirs VALUES (1)')()
    })
    expect(new Set(resultIds())).toEqual(new Set(ids))
    expect(told()).toMatch(/none of Frameloom's.*0 settings, 0 processor maps/)
    const [kept = ''] = readdirSync(store.dataDir).filter((name) => name.includes('.damaged-'))
    const db = new DatabaseSync(store.at(kept), { readOnly: true })
    expect(db.prepare('SELECT count(*) AS n FROM theirs').get()).toEqual({ n: 1 })
    db.close()
  })

  test('a row of maps or jobs that cannot be used is set aside, told once, and takes nothing with it', async () => {
    library.putJob({ job: testJob('queued'), request: { pipeline: 'text-to-video', settings: testSettings } })
    const map = (name: string) =>
      `INSERT INTO processor_maps VALUES (${name}, 1, '{"processor":"AttnProcessor"}', NULL)`
    const names = ["''", `'${'x'.repeat(81)}'`, "' low'", "'LOW'", 'char(7)', "'a' || char(10)"]
    await reopenAfter(
      sql([...names.map(map), `INSERT INTO jobs SELECT 'x', 1, job, request, NULL FROM jobs`].join(';')),
    )
    expect(library.processorMaps.list().map(({ name }) => name)).toEqual(['low'])
    expect(library.restoredJobs).toHaveLength(1)
    expect(library.notices()).toEqual(['7 rows of the library could not be read and were set aside.'])
    library = await store.open()
    expect(library.notices()).toEqual([])
  })

  test('a letter of a setting, a map or a job that the disk changed is told, though the row can be read', async () => {
    library.putJob({ job: testJob('queued'), request: { pipeline: 'text-to-video', settings: testSettings } })
    await reopenAfter(
      sql(
        `UPDATE settings SET value = '778' WHERE value = '777'; UPDATE processor_maps SET name = 'lov';
         UPDATE jobs SET request = replace(request, '"steps"', '"stepz"'), job = replace(job, 'queued', 'failed')`,
      ),
    )
    expect(library.settings()).toEqual({ ...settings, memoryBudgetMiB: 4096 })
    expect(library.processorMaps.list()).toEqual([])
    expect(library.restoredJobs).toEqual([])
    expect(library.notices()).toEqual([
      '2 rows of the library could not be read and were set aside.',
      'The setting "memoryBudgetMiB" could not be used (the disk changed it); it has its default again.',
    ])
  })

  test.each(['\u0000x', 'a\u0000', '\n', 'a\u0007b', '', ' ', 'x'.repeat(81)])('a map is not saved as %j', (name) => {
    expect(() => library.processorMaps.save(name, plain)).toThrow(/name/i)
    expect(() => library.processorMaps.rename('low', name)).toThrow(/name/i)
    expect(library.processorMaps.list().map((map) => map.name)).toEqual(['low'])
  })
})

describe('a job whose clip is there', () => {
  const request = { pipeline: 'text-to-video', settings: testSettings } as const

  test.each(['queued', 'loading', 'running', 'interrupted', 'failed'] as const)('%s: it is over', async (status) => {
    const [made, notMade] = [newId(), newId()]
    for (const resultId of [made, notMade]) library.putJob({ job: testJob(status, { resultId }), request })
    writeClip(library, made, 'just made')
    library = await store.open()
    expect(library.picture(made).title).toBe('just made')
    expect(library.restoredJobs.map(({ job }) => job.resultId)).toEqual([notMade])
    library = await store.open()
    expect(library.restoredJobs.map(({ job }) => job.resultId)).toEqual([notMade])
  })

  test('labels count as well', async () => {
    const resultId = newId()
    library.putJob({ job: testJob('running', { resultId }), request })
    const pixels = { width: 1, height: 1, count: 1, data: new Uint8Array(3) }
    await library.addClassification(testClassification(resultId, 'clip.mp4'), pixels)
    expect((await store.open()).restoredJobs).toEqual([])
  })

  test('a clip that nobody recorded is adopted; half of one, or none, is not', async () => {
    const [whole, half, none] = [newId(), newId(), newId()]
    writeClip(library, whole, 'whole')
    writeFileSync(library.pictureFile(half), '{"frameloom"')
    expect(await library.adoptPicture(whole)).toMatchObject({ id: whole, title: 'whole' })
    expect([await library.adoptPicture(half), await library.adoptPicture(none)]).toEqual([null, null])
    expect(resultIds()).toContain(whole)
  })
})

test('halves go when their writer has ended, and only those', () => {
  const own = newId()
  const [dead, alive, mine] = [1, 2, process.pid].map((pid) => `${own}.webp.${pid}-0badcafe.part`)
  const all = [dead!, alive!, mine!, 'x.part']
  for (const name of all) writeFileSync(store.at('clips', name), 'half')
  writeFileSync(store.at('uploads', `${own}.1-0badcafe.part`), 'half')
  library.removeParts([2, undefined])
  const left = readdirSync(store.at('clips')).filter((name) => name.endsWith('.part'))
  expect(left.sort()).toEqual([alive, mine, 'x.part'].sort())
  expect(readdirSync(store.at('uploads'))).toEqual([])
})
