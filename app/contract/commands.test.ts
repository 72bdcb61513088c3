import { expect, test } from 'vitest'
import { commandIds, commandIdSchema, commandMenus, commandTable } from './commands.ts'
import { jobSchema } from './jobs.ts'
import { resultSchema } from './results.ts'
import { viewIds, viewOfJob, viewOfResult, viewTable } from './views.ts'

const twice = (values: readonly (string | undefined)[]): (string | undefined)[] =>
  values.filter((value, i) => value !== undefined && values.indexOf(value) !== i)

test('no two commands have one key or one name', () => {
  const records = commandIds.map((id) => commandTable[id])
  expect(twice(records.map(({ key }) => key))).toEqual([])
  expect(twice(records.map(({ name }) => name))).toEqual([])
})

test('each native menu has something to choose', () => {
  for (const menu of commandMenus) expect(commandIds.filter((id) => commandTable[id].menu === menu)).not.toEqual([])
})

test('only keys with Ctrl, and Escape, work where text is typed', () => {
  const keys = commandIds.filter((id) => commandTable[id].inFields).map((id) => commandTable[id].key)
  expect(keys.every((key) => key === 'Escape' || key?.startsWith('Ctrl+'))).toBe(true)
})

test('what a menu sends is one of the ids, or refused', () => {
  expect(commandIdSchema.parse('run')).toBe('run')
  for (const wrong of ['', 'Run', '__proto__', 'view-nothing', 1])
    expect(commandIdSchema.safeParse(wrong).success).toBe(false)
})

test('every view has its command, and every kind of job and result one view', () => {
  for (const id of viewIds) expect(commandTable[`view-${id}`].key).toBe(viewTable[id].key)
  const kinds = jobSchema.shape.kind.options
  expect(viewIds.flatMap((id): string[] => [...viewTable[id].jobs]).toSorted()).toEqual(kinds.toSorted())
  for (const kind of kinds) expect(viewTable[viewOfJob(kind)].jobs).toContain(kind)
  const results = resultSchema.options.map((option) => option.shape.kind.value)
  expect(viewIds.flatMap((id): string[] => [...viewTable[id].results]).toSorted()).toEqual(results.toSorted())
  for (const kind of results) expect(viewTable[viewOfResult(kind)].results).toContain(kind)
})
