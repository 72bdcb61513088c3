import { expect, it } from 'vitest'
import { ProblemError } from '#app/contract/errors.ts'
import type { Graph } from '#app/graph/index.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import { SessionCache } from '../session-cache.ts'
import { openSession } from '../session.ts'
import { exactOutput } from './exact-case.ts'
import { wideGraph, wideInput } from './wide-case.ts'
import { checkAgain, refusals, refuseWrong, requireRight, selfCheck, type RunCase } from './self-check.ts'

const gpu = { provider: 'webgpu', precision: 'float32' } as const

async function onProcessor(graph: Graph, input: Tensor): Promise<Float32Array> {
  const session = await openSession(graph, { threads: 1, prepack: false })
  const { y } = await session.run({ x: input })
  await session.release()
  return y!.data as Float32Array
}

/** A provider that computes as the processor does, but for one fault. */
const faulty =
  (fault: (output: Float32Array) => void): RunCase =>
  async (graph, input, { provider }) => {
    const output = await onProcessor(graph, input)
    if (provider !== 'cpu') fault(output)
    return output
  }

it('the numbers computed by hand are means of a projection, so none is beyond 1', () => {
  const numbers = exactOutput()
  expect(numbers.every((value) => Math.abs(value) <= 1)).toBe(true)
  expect(Math.max(...numbers) - Math.min(...numbers)).toBeGreaterThan(0.5)
})

it('the processor computes rightly in float32 and in 8 bits', async () => {
  const float = await selfCheck({ provider: 'cpu', precision: 'float32' })
  expect(float).toMatchObject({ state: 'right', limit: 1e-5 })
  const bytes = await selfCheck({ provider: 'cpu', precision: 'int8' })
  expect(bytes).toMatchObject({ state: 'right' })
  expect((bytes as { error: number }).error).toBeGreaterThan(1e-4) // it did go through 8 bits
})

it.each([
  [
    'one value off',
    (output: Float32Array) => void (output[7]! += 0.2),
    /off by \d\.\de-\d of the largest value .* 2\.0e-2 is allowed/,
  ],
  ['not a number', (output: Float32Array) => void (output[3] = NaN), /off by NaN/],
])('refuses a provider with %s, with its figure', async (_, fault, message) => {
  const result = await selfCheck(gpu, faulty(fault))
  expect(result.state).toBe('wrong')
  expect(() => refuseWrong(gpu, result)).toThrow(message)
  expect(() => refuseWrong(gpu, result)).toThrow(ProblemError)
})

it('accepts one within its limit, and says why one cannot be used', async () => {
  expect(
    await selfCheck(
      gpu,
      faulty((output) => void (output[7]! += 1e-3)),
    ),
  ).toMatchObject({ state: 'right' })
  const failing: RunCase = () => Promise.reject(new Error('file.cc:1 f() x was false. No adapter\nmore'))
  expect(await selfCheck(gpu, failing)).toEqual({ state: 'missing', reason: 'No adapter' })
})

it('refuses precisions and providers that are not offered, before a session is opened', async () => {
  await expect(requireRight({ provider: 'cpu', precision: 'float16' })).rejects.toThrow(/choose float32 or int8/)
  await expect(requireRight({ provider: 'webgpu', precision: 'int8' })).rejects.toThrow(/choose float32 or float16/)
  const foreign = process.platform === 'win32' ? 'coreml' : 'dml'
  const sessions = new SessionCache()
  sessions.configure({ compute: { provider: foreign } })
  await expect(sessions.open('key', 'model', wideGraph)).rejects.toThrow(/is not in this installation/)
  expect(sessions.stats()).toMatchObject({ compilations: 0, sessions: [] })
})

it('remembers a refusal for whoever asks, until a new check comes out right', async () => {
  const foreign = { provider: process.platform === 'win32' ? 'coreml' : 'dml', precision: 'float32' } as const
  const ours = () => refusals().filter(({ provider }) => provider === foreign.provider)
  expect(ours()).toEqual([])
  await checkAgain(foreign)
  expect(ours()).toEqual([{ ...foreign, message: expect.stringMatching(/cannot be used here: .*is not in/) as string }])
  await checkAgain({ provider: 'cpu', precision: 'float32' })
  expect(refusals().some(({ provider }) => provider === 'cpu')).toBe(false)
})

it('keeps exact sessions apart', async () => {
  const sessions = new SessionCache()
  const exact = { provider: 'cpu', precision: 'float32', exact: true } as const
  const one = await sessions.open('key', 'm', wideGraph)
  expect(await sessions.open('key', 'm', wideGraph, { compute: exact })).not.toBe(one)
  expect(sessions.stats().sessions.map(({ label }) => label)).toEqual(['m', 'm, exact'])
})

it('keeps the sessions of each precision apart', async () => {
  const sessions = new SessionCache()
  const int8 = { provider: 'cpu', precision: 'int8', exact: false } as const
  const [one, two] = [
    await sessions.open('key', 'm', wideGraph),
    await sessions.open('key', 'm', wideGraph, { compute: int8 }),
  ]
  expect(await sessions.open('key', 'm', wideGraph, { compute: int8 })).toBe(two)
  expect(sessions.stats()).toMatchObject({ compilations: 2, provider: 'cpu' })
  const [a, b] = [(await one.run({ x: wideInput })).y!, (await two.run({ x: wideInput })).y!]
  expect(a.data).not.toEqual(b.data)
})

it('WebGPU agrees with the processor, or says why it cannot be used', async () => {
  const result = await selfCheck(gpu)
  if (result.state === 'missing') console.log(`WebGPU was not checked: ${result.reason}`)
  expect(['right', 'missing']).toContain(result.state)
  if (result.state === 'missing') expect(result.reason).not.toBe('')
})
