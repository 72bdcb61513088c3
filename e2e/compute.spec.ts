import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from './studio.ts'

test('a clip is made in int8, says so in its recipe, and keeps the weights in the data folder', async ({
  studio: page,
  dataDir,
}) => {
  const compute = page.getByRole('button', { name: /^Compute/ })
  const precision = page.getByRole('combobox', { name: 'Precision' })
  const exact = page.getByRole('switch', { name: 'Exact' })
  await expect(compute).toContainText('Processor, float32')
  await compute.click()
  await expect(page.getByRole('combobox', { name: 'Device' })).toHaveText('Processor')
  await exact.click()
  await expect(compute).toContainText('Processor, float32, exact')
  await precision.click()
  await expect(page.getByRole('option', { name: /^float16/ })).toHaveAttribute('aria-disabled', 'true')
  await page.getByRole('option', { name: /^int8/ }).click()
  await expect(compute).toContainText('Processor, int8')
  await expect(exact).toBeDisabled()

  await page.getByRole('button', { name: /^Generate/ }).click()
  const recipe = page.getByRole('region', { name: 'Recipe' })
  await expect(recipe.getByText('Processor, int8')).toBeVisible()
  const cached = await readdir(join(dataDir, 'cache/int8'), { recursive: true })
  expect(cached.filter((name) => name.endsWith('.safetensors')).length).toBeGreaterThan(0)
  expect(existsSync(join(dataDir, 'cache/weight-hashes.json'))).toBe(true)

  // It comes back with the settings.
  await precision.click()
  await page.getByRole('option', { name: /^float32/ }).click()
  await expect(compute).toContainText('Processor, float32')
  await recipe.getByRole('button', { name: 'Use these settings' }).click()
  await expect(compute).toContainText('Processor, int8')
})

test('a clip is classified in int8, chosen by keyboard', async ({ studio: page }) => {
  await page.getByRole('tab', { name: 'Classify' }).click()
  await page
    .getByLabel('Clip file')
    .setInputFiles(join(import.meta.dirname, '../resources/demo-models/clips/white-circle-moving-down.gif'))
  await page.getByRole('button', { name: /^Compute/ }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('combobox', { name: 'Precision' }).focus()
  await page.keyboard.press('Enter')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('combobox', { name: 'Precision' })).toHaveText('int8')
  await page.getByRole('button', { name: /^Classify/ }).click()
  const answer = page.getByRole('region', { name: 'Answered by' })
  await expect(answer.getByText('Processor, int8')).toBeVisible()
  await expect(page.getByRole('region', { name: 'Labels' })).toContainText('circle moving down')
})

test('a device that cannot be used is refused with the reason, in the run and then in the form', async ({
  studio: page,
}) => {
  await page.getByRole('button', { name: /^Compute/ }).click()
  const device = page.getByRole('combobox', { name: 'Device' })
  await device.click()
  const webgpu = page.getByRole('option', { name: /^WebGPU/ })
  test.skip((await webgpu.count()) === 0, 'this build of onnxruntime has no WebGPU')
  await webgpu.click()
  await page.getByRole('button', { name: /^Generate/ }).click()
  const stage = page.getByRole('region', { name: 'Stage' })
  const made = page.getByRole('region', { name: 'Recipe' }).getByText('WebGPU, float32')
  const refused = stage.getByText(/^WebGPU in float32 (cannot be used here|computes wrongly)/)
  await expect(made.or(refused)).toBeVisible()
  if (await made.isVisible()) return
  await expect(
    page.getByRole('form', { name: 'Generate' }).getByRole('alert').filter({ hasText: 'WebGPU in float32' }),
  ).toBeVisible()
})
