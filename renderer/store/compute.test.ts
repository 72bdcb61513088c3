import { expect, test } from 'vitest'
import { defaultCompute } from '#app/contract/compute.ts'
import { checkDraft } from './checks.ts'
import { computeLabel, computeProblem, withCompute } from './compute.ts'
import { withFirstModel } from './choose-model.ts'
import { firstDraft, fromRun, reviveDraft, toRun } from './draft.ts'
import { aModel, anAdapter } from './testing.ts'

const int8 = { ...defaultCompute, precision: 'int8' } as const
const gpu = { provider: 'webgpu', precision: 'float32', exact: false } as const

test('what does not go with another device or precision falls back', () => {
  expect(withCompute({ ...defaultCompute, exact: true }, { precision: 'int8' })).toEqual(int8)
  expect(withCompute(int8, { provider: 'webgpu' })).toEqual(gpu)
  expect(withCompute({ ...gpu, precision: 'float16' }, { provider: 'cpu' })).toEqual(defaultCompute)
  expect(withCompute({ ...defaultCompute, exact: true }, { provider: 'cpu' }).exact).toBe(true)
})

test('a device that is not installed, or was found wrong, is a problem of the form', () => {
  const message = 'WebGPU in float16 computes wrongly on this machine.'
  const engine = {
    providers: ['cpu' as const, 'webgpu' as const],
    refusals: [{ provider: 'webgpu' as const, precision: 'float16' as const, message }],
  }
  expect(computeProblem(gpu, engine)).toBeUndefined()
  expect(computeProblem({ ...gpu, provider: 'cuda' }, null)).toBeUndefined()
  expect(computeProblem({ ...gpu, provider: 'cuda' }, engine)).toBe('CUDA is not in this installation.')
  const models = [aModel(), anAdapter()]
  const draft = { ...withFirstModel(firstDraft, models), compute: { ...gpu, precision: 'float16' as const } }
  expect(checkDraft(draft, models, engine)).toEqual({ compute: message })
})

test('it is stored with the draft, and comes back with a recipe', () => {
  const draft = { ...firstDraft, compute: int8 }
  expect(reviveDraft(JSON.parse(JSON.stringify(draft))).compute).toEqual(int8)
  const { compute: _, ...old } = firstDraft
  expect(reviveDraft(old)).toEqual(firstDraft)
  expect(fromRun(toRun(draft), firstDraft).compute).toEqual(int8)
})

test('in words', () => {
  expect(computeLabel({ ...defaultCompute, exact: true })).toBe('Processor, float32, exact')
  expect(computeLabel(gpu)).toBe('WebGPU, float32')
})
