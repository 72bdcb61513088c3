import type { DatabaseSync } from 'node:sqlite'
import { attnChoiceSchema, type AttnChoice } from '../contract/attn-processors.ts'
import { ProblemError } from '../contract/errors.ts'
import { processorMapNameSchema, sameName, type ProcessorMap } from '../contract/processor-maps.ts'
import { inTransaction } from './migrate.ts'
import { changedByDisk, digestOf, parseJson, setAside, type TextRow } from './rows.ts'
import type { Write, Writes } from './writes.ts'

export type ProcessorMaps = Omit<ReturnType<typeof openProcessorMaps>, 'repairs'>

/**
 * Attention processors under names, as `write` gets them to the disk. `repairs` take rows that cannot be used out of
 * use.
 */
export function openProcessorMaps(db: DatabaseSync, write: Writes['now'] = (run) => run()) {
  const read = readAll(db)
  let { maps } = read

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
    const change = (): void => {
      if (instead) db.prepare('DELETE FROM processor_maps WHERE name = ?').run(instead.name)
      const [name, processors] = [map.name, JSON.stringify(map.processors)]
      db.prepare('INSERT INTO processor_maps (name, saved_at, processors, digest) VALUES (?, ?, ?, ?)').run(
        name,
        map.savedAt,
        processors,
        digestOf(name, String(map.savedAt), processors),
      )
    }
    write(() => {
      inTransaction(db, change)
    })
    maps = byName([...maps.filter((one) => one !== instead), map])
  }

  return {
    repairs: read.repairs,
    /** By name. */
    list: (): readonly ProcessorMap[] => maps,
    /** Throws not-found. */
    get: named,
    /** Throws bad-input when the name is taken, unless `replace`. */
    save(wanted: string, processors: AttnChoice, replace = false): void {
      const name = checked(wanted)
      if (!replace) refuseTaken(name)
      put(
        { name, processors, savedAt: Date.now() },
        maps.find((map) => sameName(map.name, name)),
      )
    },
    /** Throws not-found, or bad-input when another has the new name. */
    rename(name: string, to: string): void {
      const map = named(name)
      const next = checked(to)
      if (!sameName(name, next)) refuseTaken(next)
      put({ ...map, name: next }, map)
    },
    /** Throws not-found. */
    remove(name: string): void {
      const map = named(name)
      write(() => db.prepare('DELETE FROM processor_maps WHERE name = ?').run(map.name))
      maps = maps.filter((one) => one !== map)
    },
  }
}

const byName = (maps: readonly ProcessorMap[]): ProcessorMap[] =>
  maps.toSorted((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))

/** Names are held to the same rule when they are written and when they are read. Throws bad-input. */
function checked(name: string): string {
  const parsed = processorMapNameSchema.safeParse(name)
  if (parsed.success) return parsed.data
  const why = parsed.error.issues[0]?.message ?? 'It cannot be used.'
  throw new ProblemError('bad-input', `${JSON.stringify(name)}: ${why}`, { field: 'name' })
}

function readAll(db: DatabaseSync): { maps: ProcessorMap[]; repairs: Write[] } {
  const rows = db.prepare('SELECT rowid, name, saved_at, processors, digest FROM processor_maps').all() as TextRow[]
  const maps: ProcessorMap[] = []
  const repairs: Write[] = []
  for (const { rowid, name = '', saved_at: savedAt, processors = '', digest } of rows) {
    const parsed = parseJson(attnChoiceSchema, processors)
    const isNamed = processorMapNameSchema.safeParse(name).data === name
    const changed = changedByDisk(digest, name, String(savedAt), processors)
    if (parsed.ok && isNamed && changed === undefined && !maps.some((map) => sameName(map.name, name)))
      maps.push({ name, savedAt: Number(savedAt), processors: parsed.value })
    else {
      const reason = parsed.ok ? (changed ?? 'its name cannot be used') : parsed.reason
      repairs.push(setAside(db, { origin: 'processor_maps', rowid, key: name, value: processors, reason }))
    }
  }
  return { maps: byName(maps), repairs }
}
