import type { Locator, Page } from '@playwright/test'
import { untilStep } from './run.ts'
import { expect, slowSteps, test } from './studio.ts'
import { form, library, stage } from './with-models.ts'

test.use({ fault: slowSteps })

/** Presses Tab, or Shift+Tab, until this has the focus: nothing else is how a keyboard comes there. */
async function tabTo(page: Page, target: Locator, key = 'Tab'): Promise<void> {
  for (let presses = 0; presses < 120; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press(key)
  }
  throw new Error(`${target.toString()} is not reached by ${key}`)
}

const hasFocus = (page: Page): Promise<boolean> => page.evaluate(() => document.activeElement !== document.body)
const keepsFocus = (page: Page): Promise<void> => expect.poll(() => hasFocus(page)).toBe(true)

test('by keyboard alone: choose, write, run, cancel, use a still as the first frame; the focus is never lost', async ({
  studio: page,
}) => {
  const button = (name: string | RegExp) => form(page).getByRole('button', { name, exact: typeof name === 'string' })
  const choice = (name: string) => page.getByRole('combobox', { name, exact: true })
  const prompt = page.getByRole('textbox', { name: 'Prompt', exact: true })
  const steps = page.getByRole('textbox', { name: 'Steps value' })
  const stillUses = stage(page).getByRole('group', { name: 'Make something of this still' })

  await test.step('what one wants, how, and by which model', async () => {
    await page.keyboard.press('Tab')
    await tabTo(page, button('Clip'))
    await page.keyboard.press('ArrowRight')
    await expect(button('Still')).toBeFocused()
    await page.keyboard.press('Enter')
    await expect(button('Still')).toHaveAttribute('aria-pressed', 'true')
    await tabTo(page, choice('Pipeline'))
    await page.keyboard.press('Enter')
    await expect(page.getByRole('option', { name: 'Text to image', exact: true })).toBeFocused()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await expect(choice('Pipeline')).toBeFocused()
    // In a closed choice a letter chooses too.
    await page.keyboard.press('T')
    await expect(choice('Pipeline')).toHaveText('Text to image')
    await tabTo(page, choice('Model'))
    await page.keyboard.press('Enter')
    await page.getByRole('option', { name: /^Moving Shapes/ }).waitFor()
    await page.keyboard.press('Enter')
    await expect(choice('Model')).toBeFocused()
  })
  await test.step('written, run, and seen', async () => {
    await tabTo(page, prompt)
    await page.keyboard.press('Control+A')
    await page.keyboard.type('a still')
    await tabTo(page, steps)
    await page.keyboard.type('2')
    await page.keyboard.press('Control+Enter')
    await expect(stage(page).getByRole('button', { name: 'Export' })).toBeVisible()
    await expect(steps).toBeFocused()
  })
  await test.step('its first use, from the stage', async () => {
    await tabTo(page, stillUses.getByRole('button', { name: 'First frame of a clip' }))
    await page.keyboard.press('Enter')
    await expect(choice('Pipeline')).toHaveText('Image to video')
    await expect(stillUses.getByRole('button', { name: 'First frame of a clip' })).toBeFocused()
  })
  await test.step('a picture taken away and chosen again', async () => {
    const clear = button('Clear the picture')
    await tabTo(page, clear, 'Shift+Tab')
    await page.keyboard.press('Enter')
    await expect(clear).toBeHidden()
    await keepsFocus(page)
    await tabTo(page, choice('Picture of the library'))
    await page.keyboard.press('Enter')
    await page.getByRole('option', { name: 'a still' }).waitFor()
    await page.keyboard.press('Enter')
    await expect(clear).toBeVisible()
    await expect(choice('Picture of the library')).toBeFocused()
  })
  await test.step('a later prompt added and removed', async () => {
    const fold = form(page).getByRole('button', { name: /^Length and rounds/ })
    await tabTo(page, fold)
    await page.keyboard.press('Enter')
    await tabTo(page, button('Add a later prompt'))
    await page.keyboard.press('Enter')
    await tabTo(page, button('Remove prompt 2'), 'Shift+Tab')
    await page.keyboard.press('Enter')
    await expect(button('Remove prompt 2')).toBeHidden()
    await keepsFocus(page)
  })
  await test.step('run, cancelled on the stage, and run again', async () => {
    await tabTo(page, steps)
    await page.keyboard.type('500')
    await tabTo(page, button(/^Generate/))
    await page.keyboard.press('Enter')
    await untilStep(page, 1)
    await tabTo(page, stage(page).getByRole('button', { name: 'Cancel' }))
    await page.keyboard.press('Enter')
    await expect(stage(page).getByRole('heading', { name: 'Cancelled' })).toBeVisible()
    await keepsFocus(page)
    await tabTo(page, stage(page).getByRole('button', { name: /^Run again/ }))
    await page.keyboard.press('Enter')
    await untilStep(page, 1)
    await keepsFocus(page)
    await page.keyboard.press('Control+.')
    await expect(stage(page).getByRole('heading', { name: 'Cancelled' })).toBeVisible()
    await tabTo(page, steps)
    await page.keyboard.type('2')
    await page.keyboard.press('Control+Enter')
    await expect(stage(page).getByRole('button', { name: 'Export' })).toBeVisible()
    await expect(steps).toBeFocused()
  })
  await test.step('deleted from the stage, and a use in the library', async () => {
    await tabTo(page, stage(page).getByRole('button', { name: 'Delete clip' }))
    await page.keyboard.press('Enter')
    await expect(library(page).getByRole('listitem')).toHaveCount(1)
    await keepsFocus(page)
    const actions = library(page).getByRole('button', { name: /^Actions for a still/ })
    await tabTo(page, actions)
    await page.keyboard.press('Enter')
    await page.getByRole('menuitem', { name: 'Vary this picture' }).waitFor()
    for (const item of ['Use these settings', 'First frame of a clip', 'Vary this picture']) {
      await expect(page.getByRole('menuitem', { name: item })).toBeFocused()
      await page.keyboard.press(item === 'Vary this picture' ? 'Enter' : 'ArrowDown')
    }
    await expect(choice('Pipeline')).toHaveText('Image to image')
    await expect(actions).toBeFocused()
  })
  await test.step('and on to reading', async () => {
    // The group is entered where it was left.
    await tabTo(page, button('Still'), 'Shift+Tab')
    for (const next of ['Vary', 'Mix', 'Read']) {
      await page.keyboard.press('ArrowRight')
      await expect(button(next)).toBeFocused()
    }
    await page.keyboard.press('Enter')
    await expect(page.getByRole('form', { name: 'Classify' })).toBeVisible()
    await keepsFocus(page)
  })
})
