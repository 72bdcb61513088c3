import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { untilStep } from './run.ts'
import { expect, slowSteps, test } from './studio.ts'

const stage = (page: Page) => page.getByRole('region', { name: 'Stage' })

/** Puts weights that were trained for the demo model among the user's models. */
async function addTrained(page: Page, dataDir: string, name: string): Promise<void> {
  const from = join(import.meta.dirname, 'goldens/checkpoints', name)
  await cp(from, join(dataDir, 'models', name), { recursive: true })
  await page.getByRole('button', { name: 'Folders', exact: true }).click()
  // The folder for models is searched from the next search on: it was not there when the studio started.
  await page.getByRole('button', { name: 'Search again' }).click()
  await page.getByRole('button', { name: `Details of ${name}` }).waitFor()
  await page.keyboard.press('Escape')
}

async function setNumber(page: Page, name: string, value: number): Promise<void> {
  const field = page.getByRole('textbox', { name, exact: true })
  await field.fill(String(value))
  await field.press('Tab')
}

/** Makes the clip of the form and reads it as a GIF. */
async function made(page: Page, meanwhile?: () => Promise<void>): Promise<Buffer> {
  await page.getByRole('button', { name: /^Generate/ }).click()
  await meanwhile?.()
  const button = stage(page).getByRole('button', { name: 'Export' })
  await expect(button).toBeVisible()
  const download = page.waitForEvent('download')
  await button.click()
  await page.getByRole('menuitem', { name: /GIF/ }).click()
  return readFile(await (await download).path())
}

test.describe('a run that can be acted on', () => {
  test.use({ fault: slowSteps })

  test('the scale of a LoRA moved in mid-run changes the outcome, and the recipe makes that clip again', async ({
    studio: page,
    dataDir,
  }) => {
    await addTrained(page, dataDir, 'demo-lora')
    await page.getByRole('button', { name: 'Add LoRA' }).click()
    const scale = page.getByRole('textbox', { name: 'Scale of demo-lora value' })
    await setNumber(page, 'Steps value', 12)
    await setNumber(page, 'Seed', 3)
    const unmoved = await made(page)
    const moved = await made(page, async () => {
      await untilStep(page, 2)
      await scale.fill('0')
      await scale.press('Tab')
      await expect(page.getByText(/^In effect since step \d+\. What a LoRA does to the reading/)).toBeVisible()
    })
    expect(moved.equals(unmoved)).toBe(false)

    await expect(stage(page)).toContainText(/LoRA scales changed at step \d+/)
    const recipe = page.getByRole('region', { name: 'Recipe' })
    await expect(recipe.getByText('demo-lora 0', { exact: true })).toBeVisible()
    await recipe.getByRole('button', { name: 'Use these settings' }).click()
    await expect(scale).toHaveValue('1.00')
    await expect(page.getByText(/The recipe changes LoRA scales at step \d+/)).toBeVisible()
    expect((await made(page)).equals(moved)).toBe(true)
  })
})

test('a map is made layer by layer, saved under a name, there after a reload, and used', async ({
  studio: page,
  dataDir,
}) => {
  await addTrained(page, dataDir, 'demo-custom-diffusion')
  const attention = page.getByRole('combobox', { name: 'Attention processor' })
  const editor = page.getByRole('dialog', { name: 'Attention by layer' })
  const openEditor = async (): Promise<void> => {
    await page.getByRole('button', { name: /^Advanced/ }).click()
    await page.getByRole('button', { name: 'Attention by layer' }).click()
    await expect(editor.getByText('All 22 layers have their default.')).toBeVisible()
  }
  await openEditor()

  await test.step('by keyboard: a filter, and a processor for what it leaves', async () => {
    await editor.getByRole('searchbox', { name: 'Filter layers' }).focus()
    await page.keyboard.type('up picture attn2')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('option', { name: /^demo-custom-diffusion/ }).waitFor()
    await page.keyboard.press('End')
    await page.keyboard.press('Enter')
    await expect(editor.getByText('2 of 22 layers differ from the default.')).toBeVisible()
    await editor.getByRole('searchbox').fill('')
    await editor.getByRole('combobox', { name: 'All of Middle, motion' }).click()
    await page.getByRole('option', { name: /^Sliced/ }).click()
    await setNumber(page, 'All of Middle, motion, slice size', 2)
    await expect(editor.getByText('4 of 22 layers differ from the default.')).toBeVisible()
    const { violations } = await new AxeBuilder({ page }).include('.attention').analyze()
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
  })

  await test.step('saved, exported, renamed', async () => {
    await editor.getByRole('button', { name: 'Save as…' }).click()
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('my map')
    await page.keyboard.press('Enter')
    await editor.getByRole('button', { name: 'Rename my map' }).click()
    await page.keyboard.type(' two')
    await page.keyboard.press('Enter')
    await expect(editor.getByRole('button', { name: 'my map two', exact: true })).toBeVisible()
    const download = page.waitForEvent('download')
    await editor.getByRole('button', { name: 'Export' }).click()
    const text = await readFile(await (await download).path(), 'utf8')
    expect(Object.keys(JSON.parse(text) as object)).toHaveLength(22)
    await page.keyboard.press('Escape')
    await expect(editor).toBeHidden()
  })

  await page.reload()
  await page.getByRole('button', { name: /^Engine: Ready/ }).waitFor()
  await openEditor()
  await editor.getByRole('button', { name: 'my map two', exact: true }).click()
  await expect(editor.getByText('4 of 22 layers differ from the default.')).toBeVisible()
  await editor.getByRole('button', { name: 'Use', exact: true }).click()
  await expect(attention).toHaveText('my map two')
  await setNumber(page, 'Steps value', 3)
  await setNumber(page, 'Seed', 3)
  const mapped = await made(page)
  await expect(
    page.getByRole('region', { name: 'Recipe' }).getByText('Custom map (4 of 22 layers differ)'),
  ).toBeVisible()
  await attention.click()
  await page.getByRole('option', { name: /^Default/ }).click()
  expect((await made(page)).equals(mapped)).toBe(false)
})

test('the settings tell what a model holds, and save its motion modules', async ({ studio: page }) => {
  await page.getByRole('button', { name: 'Folders', exact: true }).click()
  await page.getByRole('button', { name: 'Details of Moving Shapes (demo)' }).click()
  const settings = page.getByRole('dialog', { name: 'Settings' })
  await expect(settings.getByRole('row', { name: 'unet UNet2DConditionModel float32 1.00 M 0 0' })).toBeVisible()
  await expect(settings.getByText(/208 weights \(1\.00 M\) stay, 182 weights \(0\.44 M\) may change/)).toBeVisible()
  await expect(settings.getByText(/^[0-9a-f]{64}$/)).toHaveCount(3)
  await settings.getByRole('button', { name: 'Save motion modules…' }).click()
  await settings.getByRole('textbox', { name: 'Name of the folder' }).fill('swing')
  await page.keyboard.press('Enter')
  await expect(settings.getByRole('button', { name: 'Details of swing' })).toBeVisible()
  const { violations } = await new AxeBuilder({ page }).include('.settings').analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
})
