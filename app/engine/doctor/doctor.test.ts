import { beforeEach, expect, test, vi } from 'vitest'
import { resourcesDir } from '#main/paths.ts'
import { doctor } from '../handlers/doctor.ts'
import { checkProvider } from './provider-check.ts'

const context = { signal: new AbortController().signal, checkCancelled() {}, stage() {}, controls: () => undefined }

beforeEach(() => {
  vi.stubEnv('FRAMELOOM_RESOURCES', resourcesDir())
  return () => vi.unstubAllEnvs()
})

test('reports the machine, a checked CPU provider, and the bundled models', async () => {
  const { checks } = await doctor({ full: false }, context)
  const byName = Object.fromEntries(checks.map((check) => [check.name, check]))
  expect(byName['Engine']?.detail).toContain(process.versions.node)
  expect(byName['Processor']?.detail).toMatch(/threads 1: 1\.00x/)
  expect(byName['Memory']?.detail).toMatch(/\d GiB, .* available/)
  expect(byName['Provider cpu']).toMatchObject({ state: 'ok', detail: expect.stringMatching(/e-\d/) })
  expect(byName['Demo models']).toMatchObject({ state: 'ok' })
  expect(byName['SIMD']?.detail).not.toBe('')
})

test('says what is missing, and what to do', async () => {
  vi.stubEnv('PATH', '/nowhere')
  vi.stubEnv('FRAMELOOM_RESOURCES', '/nowhere')
  const { checks } = await doctor({ full: false }, context)
  expect(checks).toContainEqual({ name: 'ffmpeg', state: 'missing', detail: expect.stringMatching(/install/) })
  expect(checks).toContainEqual({ name: 'Demo models', state: 'missing', detail: expect.stringMatching(/nowhere/) })
})

test('a provider that this installation does not have cannot be used', async () => {
  const foreign = process.platform === 'win32' ? 'coreml' : 'dml'
  expect(await checkProvider(foreign)).toEqual([
    {
      name: `Provider ${foreign}`,
      state: 'warning',
      detail: expect.stringMatching(/cannot be used here: .* is not in/),
    },
  ])
})
