import AxeBuilder from '@axe-core/playwright'
import { expect, test } from './studio.ts'

test('a model is profiled by layer, tuned, and the choice is offered again', async ({ studio: page }) => {
  await page.getByRole('button', { name: /^Advanced/ }).click()
  await page.getByRole('button', { name: 'Profile and tune' }).click()
  const dialog = page.getByRole('dialog', { name: 'Profile and tune' })
  await dialog.getByRole('button', { name: 'Profile', exact: true }).click()
  const profile = dialog.getByRole('region', { name: 'Profile' })
  await expect(profile.getByRole('rowheader', { name: 'mid_block', exact: true })).toBeVisible()
  await profile.getByRole('button', { name: 'Layers' }).click()
  const layer = profile.getByRole('row', { name: /^up_blocks\.0\.attentions\.0\.transformer_blocks\.0\.attn1/ })
  await expect(layer).toContainText('AttnProcessor2_0')

  // A cancel leaves what was found, and the engine ready.
  await dialog.getByRole('button', { name: 'Autotune' }).click()
  await expect(dialog.getByRole('status')).toHaveText(/Running the model|Comparing/)
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await expect(dialog.getByRole('button', { name: 'Autotune' })).toBeVisible()
  await expect(layer).toBeVisible()

  await dialog.getByRole('button', { name: 'Autotune' }).click()
  const proposals = dialog.getByRole('region', { name: 'Proposals' })
  await expect(proposals).toBeVisible()
  const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').analyze()
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
  await proposals.getByRole('button', { name: /least memory/i }).click()
  const kept = dialog.getByRole('region', { name: 'Kept' })
  await expect(kept).toContainText(/least memory/i)
  await page.keyboard.press('Escape')
  await expect(page.getByRole('switch', { name: 'Forward chunking' })).toBeChecked()

  await page.getByRole('switch', { name: 'Forward chunking' }).click()
  await page.reload()
  await page.getByRole('button', { name: /^Advanced/ }).click()
  await page.getByRole('button', { name: 'Profile and tune' }).click()
  await kept.getByRole('button', { name: 'Use this' }).click()
  await expect(kept.getByRole('button', { name: 'In use' })).toBeDisabled()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('switch', { name: 'Forward chunking' })).toBeChecked()
})
