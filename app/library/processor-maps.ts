import type { DatabaseSyncInstance } from '@photostructure/sqlite'
import { attnChoiceSchema, type AttnChoice } from '../contract/attn-processors.ts'
import { ProblemError } from '../contract/errors.ts'
import { sameName, type ProcessorMap } from '../contract/processor-maps.ts'
import { inTransaction } from './migrate.ts'
import { parseJson, setAside } from './rows.ts'

export type ProcessorMaps = ReturnType<typeof openProcessorMaps>

/** Attention processors under names. Rows that cannot be read are set aside. */
export function openProcessorMaps(db: DatabaseSyncInstance, now: () => number = Date.now) {
  let maps = readAll(db)

  const named = (name: string): ProcessorMap => {
    const found = maps.find((map) => sameName(map.name, name))
    if (found) return found
    const known = maps.map((map) => map.name).join(', ')
    const message = `There is no processor map ${JSON.stringify(name)}. ${known ? `There are: ${known}.` : 'None was saved yet.'}`
    throw new ProblemError('not-found', message, { field: 'name' })
  }
  const refuseTaken = (name: string): void => {
    if (!maps.some((map) => sameName(map.name, name))) return
    throw new ProblemError('bad-input', `There is a processor map ${JSON.stringify(name)} already.`, { field: 'name' })
  }
  const put = (map: ProcessorMap, instead?: ProcessorMap): void => {
    inTransaction(db, () => {
      if (instead) db.prepare('DELETE FROM processor_maps WHERE name = ?').run(instead.name)
      db.prepare('INSERT INTO processor_maps (name, saved_at, processors) VALUES (?, ?, ?)').run(
        map.name,
        map.savedAt,
        JSON.stringify(map.processors),
      )
    })
    maps = byName([...maps.filter((one) => one !== instead), map])
  }

  return {
    /** By name. */
    list: (): readonly ProcessorMap[] => maps,
    /** Throws not-found. */
    get: named,
    /** Throws bad-input when the name is taken, unless `replace`. */
    save(name: string, processors: AttnChoice, replace = false): void {
      if (!replace) refuseTaken(name)
      put(
        { name, processors, savedAt: now() },
        maps.find((map) => sameName(map.name, name)),
      )
    },
    /** Throws not-found, or bad-input when another has the new name. */
    rename(name: string, to: string): void {
      const map = named(name)
      if (!sameName(name, to)) refuseTaken(to)
      put({ ...map, name: to }, map)
    },
    /** Throws not-found. */
    remove(name: string): void {
      const map = named(name)
      db.prepare('DELETE FROM processor_maps WHERE name = ?').run(map.name)
      maps = maps.filter((one) => one !== map)
    },
  }
}

const byName = (maps: readonly ProcessorMap[]): ProcessorMap[] =>
  maps.toSorted((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))

function readAll(db: DatabaseSyncInstance): ProcessorMap[] {
  const rows = db.prepare('SELECT name, saved_at, processors FROM processor_maps').all() as {
    name: string
    saved_at: number
    processors: string
  }[]
  const maps: ProcessorMap[] = []
  for (const { name, saved_at: savedAt, processors } of rows) {
    const parsed = parseJson(attnChoiceSchema, processors)
    if (parsed.ok) maps.push({ name, savedAt, processors: parsed.value })
    else
      inTransaction(db, () => {
        setAside(db, 'processor_maps', name, processors, parsed.reason)
        db.prepare('DELETE FROM processor_maps WHERE name = ?').run(name)
      })
  }
  return byName(maps)
}
