import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

const file = pathToFileURL(join(import.meta.dirname, 'electron.mjs')).href

test('the window is told which Node runs the engine, and does not run as Node itself', async () => {
  const { windowEnvironment } = (await import(file)) as {
    windowEnvironment: (env: NodeJS.ProcessEnv) => NodeJS.ProcessEnv
  }
  const before = { PATH: '/bin', ELECTRON_RUN_AS_NODE: '1' }
  expect(windowEnvironment(before)).toEqual({ PATH: '/bin', FRAMELOOM_NODE: process.execPath })
  expect(before.ELECTRON_RUN_AS_NODE).toBe('1')
  expect(windowEnvironment({ FRAMELOOM_NODE: '/own/node' })).toEqual({ FRAMELOOM_NODE: '/own/node' })
})
