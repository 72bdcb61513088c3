import { readRecipeFile } from '../app/media/node/recipe-file.ts'
import { drop } from './run.ts'
import { expect, test } from './studio.ts'

test('a prompt becomes a still: made, exported as PNG, dropped back in, and there after a reload', async ({
  studio: page,
}) => {
  const stage = page.getByRole('region', { name: 'Stage' })
  const library = page.getByRole('region', { name: 'Library' })
  const form = page.getByRole('form', { name: 'Generate' })
  const seed = page.getByRole('textbox', { name: 'Seed', exact: true })
  const make = (name: string) => form.getByRole('button', { name, exact: true })
  await make('Still').click()
  await expect(form.getByRole('slider', { name: 'Frames' })).toBeHidden()
  await expect(form.getByRole('combobox', { name: 'Motion adapter' })).toBeHidden()
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill('a blue star')
  await page.getByRole('textbox', { name: 'Steps value', exact: true }).fill('3')
  await seed.fill('11')
  await seed.press('Tab')
  await form.getByRole('button', { name: /^Generate/ }).click()
  await expect(stage.getByRole('button', { name: 'Export' })).toBeVisible()
  await expect(stage.getByRole('img')).toBeVisible()
  await expect(page.getByRole('button', { name: /Play|Pause/ })).toBeHidden()
  await expect(library.getByRole('listitem')).toHaveCount(1)

  const download = page.waitForEvent('download')
  await stage.getByRole('button', { name: 'Export' }).click()
  await expect(page.getByRole('menu', { name: 'Export' }).getByRole('menuitem')).toHaveCount(2)
  await page.getByRole('menuitem', { name: /^PNG/ }).click()
  const png = await download
  expect(png.suggestedFilename()).toBe('a-blue-star-11.png')
  const recipe = JSON.parse((await readRecipeFile(await png.path()))!) as unknown
  expect(recipe).toMatchObject({ pipeline: 'text-to-image', settings: { prompt: 'a blue star', seed: 11 } })

  await make('Clip').click()
  await seed.fill('5')
  await seed.press('Tab')
  await drop(page, await png.path(), 'star.png')
  await expect(make('Still')).toHaveAttribute('aria-pressed', 'true')
  await expect(seed).toHaveValue('11')

  await page.reload()
  await expect(library.getByRole('listitem')).toHaveCount(1)
  await expect(library.getByText('64 × 64')).toBeVisible()
  await expect(make('Still')).toHaveAttribute('aria-pressed', 'true')
})
