import { beforeEach, expect, test, vi } from 'vitest'
import { commandIds, commandTable } from '#app/contract/commands.ts'
import { viewIds } from '#app/contract/views.ts'
import { cancellableJob } from '#renderer/actions/jobs.ts'
import { playerStore } from '#renderer/store/player.ts'
import { studioStore } from '#renderer/store/studio.ts'
import { aClip, aJob } from '#renderer/store/testing.ts'
import { openDialog, openJob, openResult, viewStore } from '#renderer/store/view.ts'
import { commands, performCommand } from './commands.ts'
import { pressed } from './keyboard.ts'

let listOpen = false
vi.stubGlobal('document', { querySelector: () => (listOpen ? {} : null) })

beforeEach(() => {
  listOpen = false
  viewStore.setState(viewStore.getInitialState(), true)
  studioStore.setState(studioStore.getInitialState(), true)
  playerStore.setState(playerStore.getInitialState(), true)
})

test('every command of the contract has what it does and a picture, and says what the contract says', () => {
  expect(Object.keys(commands).toSorted()).toEqual(commandIds.toSorted())
  for (const id of commandIds) {
    expect(commands[id]).toMatchObject({ ...commandTable[id], id })
    expect(commands[id].perform, id).toBeTypeOf('function')
    expect(commands[id].icon, id).toBeDefined()
  }
})

test('each view has a command that goes there', () => {
  for (const id of viewIds) {
    expect(performCommand(`view-${id}`)).toBe(true)
    expect(viewStore.getState().view).toBe(id)
  }
})

test.each([
  ['attention', { kind: 'attention' }],
  ['tuning', { kind: 'tuning' }],
  ['palette', { kind: 'palette' }],
  ['settings', { kind: 'settings', tab: 'appearance' }],
  ['folders', { kind: 'settings', tab: 'models' }],
  ['about', { kind: 'settings', tab: 'about' }],
] as const)('%s opens its dialog', (id, dialog) => {
  expect(performCommand(id)).toBe(true)
  expect(viewStore.getState().dialog).toEqual(dialog)
})

test('a dialog or an open list has the keys and menus to itself', () => {
  openDialog({ kind: 'attention' })
  expect(performCommand('palette')).toBe(false)
  expect(viewStore.getState().dialog).toEqual({ kind: 'attention' })
  viewStore.setState({ dialog: null })
  listOpen = true
  expect(performCommand('loop')).toBe(false)
  listOpen = false
  expect(performCommand('loop')).toBe(true)
  expect(playerStore.getState().loop).toBe(false)
})

test('what is about a clip is there while one is on show', () => {
  expect(performCommand('delete')).toBe(false)
  studioStore.setState({ results: [aClip({ id: 'a' })] })
  openResult(aClip({ id: 'a' }))
  expect(commands.delete.available()).toBe(true)
  expect([commands['export-mp4'].available(), commands['export-png'].available()]).toEqual([true, true])
  studioStore.setState({ results: [aClip({ id: 'a', kind: 'still' })] })
  expect([commands['export-mp4'].available(), commands['export-png'].available()]).toEqual([false, true])
  viewStore.setState({ view: 'classify' })
  expect(commands.reuse.available()).toBe(false)
})

test('a job can be cancelled while one is not finished', () => {
  studioStore.setState({ jobs: [aJob({ status: 'done' })] })
  expect(performCommand('cancel')).toBe(false)
  studioStore.setState({ jobs: [aJob({ status: 'queued' })] })
  expect(commands.cancel.available()).toBe(true)
})

test('what is cancelled is the job that runs, whichever is on show', () => {
  const jobs = [aJob({ id: 'runs' }), aJob({ id: 'waits', status: 'queued' })]
  studioStore.setState({ jobs })
  openJob(jobs[1]!)
  expect(cancellableJob()?.id).toBe('runs')
  studioStore.setState({ jobs: jobs.slice(1) })
  expect(cancellableJob()?.id).toBe('waits')
})

test('speed and zoom go from one of their menu to the next, and stay at the ends', () => {
  for (const id of ['slower', 'slower', 'slower', 'slower'] as const) performCommand(id)
  expect(playerStore.getState().speed).toBe(0.25)
  performCommand('faster')
  expect(playerStore.getState().speed).toBe(0.5)
  for (let i = 0; i < 6; i++) performCommand('zoom-in')
  expect(playerStore.getState().zoom).toBe(8)
  performCommand('zoom-out')
  expect(playerStore.getState().zoom).toBe(4)
  performCommand('zoom-fit')
  expect(playerStore.getState().zoom).toBe('fit')
})

test('keys are named as the table names them', () => {
  const none = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false }
  expect(pressed({ ...none, key: ' ' })).toBe(commandTable.play.key)
  expect(pressed({ ...none, key: 'g' })).toBe(commandTable['view-generate'].key)
  expect(pressed({ ...none, key: 'Enter', ctrlKey: true })).toBe(commandTable.run.key)
  expect(pressed({ ...none, key: ',', metaKey: true })).toBe(commandTable.settings.key)
  expect(pressed({ ...none, key: 'z', ctrlKey: true })).toBe(commandTable.undo.key)
  expect(pressed({ ...none, key: 'Z', ctrlKey: true, shiftKey: true })).toBe(commandTable.redo.key)
  expect(pressed({ ...none, key: 'L', shiftKey: true })).toBe(commandTable.loop.key)
})
