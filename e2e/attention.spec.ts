import { execFileSync } from 'node:child_process'
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from './studio.ts'

test('a map of attention processors is taken from a file, kept in the recipe, and comes back with it', async ({
  studio: page,
  dataDir,
}) => {
  const map = join(dataDir, 'map.json')
  const cli = join(import.meta.dirname, '../dist/node/cli.js')
  execFileSync(process.execPath, [cli, 'processors', '--model', 'moving-shapes', '--out', map])

  const attention = page.getByRole('combobox', { name: 'Attention processor' })
  await page.getByRole('button', { name: /^Advanced/ }).click()
  await attention.click()
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('option', { name: /From a file/ }).click()
  await (await chooser).setFiles(map)
  await expect(attention).toHaveText(/^Custom map \(/)

  await page.getByRole('button', { name: /^Generate/ }).click()
  const recipe = page.getByRole('region', { name: 'Recipe' })
  await expect(recipe.getByText(/^Custom map/)).toBeVisible()
  await attention.click()
  await page.getByRole('option', { name: /^Sliced/ }).click()
  await expect(page.getByRole('textbox', { name: 'Slice size' })).toHaveValue('1')
  await recipe.getByRole('button', { name: 'Use these settings' }).click()
  await expect(attention).toHaveText(/^Custom map/)
})

test('a LoRA of a model folder is chosen with its scale, and a wrong one is told', async ({
  studio: page,
  dataDir,
}) => {
  const folder = join(dataDir, 'loras')
  await mkdir(folder)
  await copyFile(
    join(import.meta.dirname, 'goldens/checkpoints/lora/peft.safetensors'),
    join(folder, 'night.safetensors'),
  )
  await expect(page.getByRole('button', { name: 'Add LoRA' })).toBeHidden()
  await page.getByRole('button', { name: 'Folders', exact: true }).click()
  await page.getByRole('textbox', { name: 'Folder to add' }).fill(folder)
  await page.getByRole('button', { name: 'Add folder' }).click()
  await page.getByText('night', { exact: true }).waitFor()
  await page.keyboard.press('Escape')

  await page.getByRole('button', { name: 'Add LoRA' }).click()
  const scale = page.getByRole('textbox', { name: 'Scale of night value' })
  await scale.fill('0.6')
  await scale.press('Tab')
  await expect(scale).toHaveValue('0.60')
  // It was made for another base: said before anything is run.
  const refusal = page.getByRole('alert').filter({ hasText: 'The LoRA night was made for' })
  await expect(refusal).toBeVisible()
  await page.getByRole('button', { name: 'Remove night' }).click()
  await expect(scale).toBeHidden()
  await expect(refusal).toBeHidden()
})
