import { expect, test } from 'vitest'
import { commandIds, commandIdSchema, commandMenus, commandTable } from './commands.ts'
import { pipelineNames, pipelines } from './pipelines.ts'
import type { Makes } from './pipelines/pipeline.ts'
import { makesOf } from './results.ts'
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

test('only keys with Ctrl work where text is typed, and none cancels by Escape', () => {
  const keys = commandIds.filter((id) => commandTable[id].inFields).map((id) => commandTable[id].key)
  expect(keys.every((key) => key?.startsWith('Ctrl+'))).toBe(true)
  expect(commandIds.filter((id) => commandTable[id].key === 'Escape')).toEqual([])
})

test('what a menu sends is one of the ids, or refused', () => {
  expect(commandIdSchema.parse('run')).toBe('run')
  for (const wrong of ['', 'Run', '__proto__', 'view-nothing', 1])
    expect(commandIdSchema.safeParse(wrong).success).toBe(false)
})

test('every view has its command, and what any pipeline makes has one view', () => {
  for (const id of viewIds) expect(commandTable[`view-${id}`].key).toBe(viewTable[id].key)
  const makes = viewIds.flatMap((id): Makes[] => [...viewTable[id].makes])
  expect(twice(makes)).toEqual([])
  for (const name of pipelineNames) expect(viewTable[viewOfJob(name)].makes).toContain(pipelines[name].makes)
  for (const kind of ['clip', 'still', 'classification'] as const)
    expect(viewTable[viewOfResult(kind)].makes).toContain(makesOf(kind))
})
