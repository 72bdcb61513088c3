import { expect, test } from 'vitest'
import { allFields } from '#app/contract/pipelines/fields.ts'
import { recipeSchema } from '#app/contract/recipe.ts'
import { runHere, shortClip, useCli, withoutEngine, type Ran } from './testing.ts'

const { generate, read } = useCli()

const settingsOf = ({ code, stdout, stderr }: Ran) => {
  expect(code, stderr).toBe(0)
  return allFields(recipeSchema.parse((JSON.parse(stdout) as { recipe: unknown }).recipe).settings)
}

test('changes of the schedule are in the recipe and change the clip, each beside the others', async () => {
  const ddim = ['--json', '--scheduler', 'DDIMScheduler']
  const plain = settingsOf(await generate('plain.webp', ...ddim))
  expect(plain).toMatchObject({ schedulerConfig: { beta_schedule: 'linear' }, guidanceRescale: 0 })

  const even = settingsOf(await generate('even.webp', ...ddim, '--scheduler-config', 'timestep_spacing=trailing'))
  expect(even.schedulerConfig).toEqual({ beta_schedule: 'linear', timestep_spacing: 'trailing' })
  const cosine = ['--beta-schedule', 'squaredcos_cap_v2', '--scheduler-config', 'clip_sample=true']
  expect(settingsOf(await generate('cosine.webp', ...ddim, ...cosine)).schedulerConfig).toEqual({
    beta_schedule: 'squaredcos_cap_v2',
    clip_sample: true,
  })
  const rescaled = settingsOf(await generate('rescaled.webp', ...ddim, '--guidance-rescale', '0.7'))
  expect(rescaled).toMatchObject({ guidanceRescale: 0.7 })
  for (const name of ['even.webp', 'cosine.webp', 'rescaled.webp'])
    expect(read(name).equals(read('plain.webp')), name).toBe(false)
})

test('TCD is a scheduler like the others, and eta adds noise to it', async () => {
  const tcd = ['--json', '--scheduler', 'TCDScheduler']
  settingsOf(await generate('plain.webp', ...tcd))
  expect(settingsOf(await generate('random.webp', ...tcd, '--eta', '0.5')).eta).toBe(0.5)
  expect(read('random.webp').equals(read('plain.webp'))).toBe(false)
})

test('what cannot be is refused in words, before anything is made', async () => {
  const refused = async (...options: string[]): Promise<string> => {
    const ran = await generate('a.webp', ...options)
    expect(ran.code).toBe(2)
    return ran.stderr
  }
  const lcm = ['--scheduler', 'LCMScheduler', '--scheduler-config', 'timestep_spacing=linspace']
  expect(await refused(...lcm)).toContain('LCM does not read timestep_spacing')
  const twice = ['--scheduler', 'EulerDiscreteScheduler', '--scheduler-config']
  expect(await refused(...twice, 'use_karras_sigmas=true,use_beta_sigmas=true')).toContain('cannot be used together')
  const silent = ['--scheduler', 'DDIMScheduler', '--scheduler-config']
  expect(await refused(...silent, 'rescale_betas_zero_snr=true,timestep_spacing=trailing')).toContain('without signal')
  const unknown = [...shortClip('a.webp'), '--scheduler-config', 'beta_startt=1']
  expect(await runHere(withoutEngine, ['generate', ...unknown])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('not beta_startt') as string,
  })
})
