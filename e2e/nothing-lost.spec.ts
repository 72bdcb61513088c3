import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { dropAll, untilStep } from './run.ts'
import { expect, slowSteps, test } from './studio.ts'

const media = join(import.meta.dirname, 'goldens/media')
const stage = (page: Page) => page.getByRole('region', { name: 'Stage' })
const library = (page: Page) => page.getByRole('region', { name: 'Library' })
const prompt = (page: Page) => page.getByRole('textbox', { name: 'Prompt', exact: true })
const toast = (page: Page, title: string | RegExp) => page.getByRole('dialog', { name: title })

async function generate(page: Page, words: string, steps: number): Promise<void> {
  await prompt(page).fill(words)
  const field = page.getByRole('textbox', { name: 'Steps value', exact: true })
  await field.fill(String(steps))
  await field.press('Tab')
  await page.getByRole('button', { name: /^(Generate|Add to queue)/ }).click()
}
const finished = (page: Page) => stage(page).getByRole('button', { name: 'Export' })

test.describe('a run that takes its time', () => {
  test.use({ fault: slowSteps })

  test('Escape leaves it alone; Ctrl+. cancels it, and that can be undone', async ({ studio: page }) => {
    await generate(page, 'a red circle', 500)
    await untilStep(page, 1)
    await prompt(page).focus()
    await page.keyboard.press('Escape')
    await untilStep(page, 3)
    await page.keyboard.press('Control+.')
    await expect(stage(page).getByRole('heading', { name: 'Cancelled' })).toBeVisible()
    await toast(page, 'Cancelled “a red circle”').getByRole('button', { name: 'Undo' }).click()
    await untilStep(page, 1)
    await page.keyboard.press('Control+.')
    await expect(stage(page).getByRole('heading', { name: 'Cancelled' })).toBeVisible()
  })

  test('the stage stays with the job that runs, goes on to the next, and leads back to it', async ({
    studio: page,
  }) => {
    const title = (words: string) => stage(page).getByRole('heading', { name: words })
    for (const words of ['the first', 'the second', 'the third']) await generate(page, words, 500)
    await expect(library(page).getByText(/^seed \d+ · In the queue/)).toHaveCount(2)
    await expect(title('the first')).toBeVisible()
    await page.keyboard.press('Control+.')
    await expect(title('the second')).toBeVisible()
    await library(page)
      .getByRole('button', { name: /^the third/ })
      .click()
    await expect(title('the third')).toBeVisible()
    await stage(page)
      .getByRole('button', { name: /^Step \d+ of 500, show/ })
      .click()
    await expect(title('the second')).toBeVisible()

    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search commands' }).fill('cancel all')
    await page.keyboard.press('Enter')
    await expect(library(page).getByRole('listitem')).toHaveCount(0)
    await toast(page, 'Cancelled 2 jobs').getByRole('button', { name: 'Undo' }).click()
    await expect(library(page).getByRole('listitem')).toHaveCount(2)
    await expect(title('the second')).toBeVisible()
  })
})

test('a prompt that was never run comes back after a recipe took its place', async ({ studio: page }) => {
  await generate(page, 'a red circle', 2)
  await expect(finished(page)).toBeVisible()
  await prompt(page).fill('never run')
  await page.getByRole('tab', { name: 'Generate' }).focus()
  await page.keyboard.press('u')
  await expect(prompt(page)).toHaveValue('a red circle')

  // In the field, where the browser's own undo would have mixed both.
  await prompt(page).focus()
  await page.keyboard.press('Control+z')
  await expect(prompt(page)).toHaveValue('never run')
  await page.getByRole('tab', { name: 'Generate' }).focus()
  await page.keyboard.press('Control+Shift+Z')
  await expect(prompt(page)).toHaveValue('a red circle')
  await page.reload()
  await expect(prompt(page)).toHaveValue('a red circle')
  await page.getByRole('tab', { name: 'Generate' }).focus()
  await page.keyboard.press('Control+z')
  await expect(prompt(page)).toHaveValue('never run')
})

test('a deleted clip can be had back, and the keyboard stays where it was', async ({ studio: page }) => {
  for (const words of ['one', 'two', 'three']) {
    await generate(page, words, 1)
    await expect(stage(page).getByRole('heading', { name: words })).toBeVisible()
    await expect(finished(page)).toBeVisible()
  }
  const tile = (words: string) => library(page).getByRole('button', { name: new RegExp(`^${words}`) })
  await tile('two').focus()
  await page.keyboard.press('Delete')
  await expect(library(page).getByRole('listitem')).toHaveCount(2)
  await expect(tile('one')).toBeFocused()
  await expect(stage(page).getByRole('heading', { name: 'three' })).toBeVisible()
  await page.getByRole('button', { name: 'Roll a new seed' }).focus()
  await page.keyboard.press('Delete')
  await expect(library(page).getByRole('listitem')).toHaveCount(2)
  await toast(page, 'Clip deleted').getByRole('button', { name: 'Undo' }).click()
  await expect(library(page).getByRole('listitem')).toHaveCount(3)
  await tile('two').click()
  await expect(stage(page).getByRole('img')).toBeVisible()

  // From the stage it goes on to the next, and the button keeps the focus.
  await stage(page).getByRole('button', { name: 'Delete clip' }).click()
  await expect(stage(page).getByRole('heading', { name: 'one' })).toBeVisible()
  await expect(stage(page).getByRole('button', { name: 'Delete clip' })).toBeFocused()
})

test('several files that are dropped are all classified', async ({ studio: page }) => {
  await dropAll(page, {
    'first.mp4': join(media, 'h264-bframes.mp4'),
    'notes.txt': join(media, 'bad-text.mp4'),
    'second.mp4': join(media, 'short-3-frames.mp4'),
    'third.gif': join(media, 'animated.gif'),
  })
  await expect(toast(page, 'notes.txt is not a clip')).toBeVisible()
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id }) => id)).toEqual([])
  const form = page.getByRole('form', { name: 'Classify' })
  await expect(form.getByRole('list', { name: 'Classified after it' }).getByRole('listitem')).toHaveText([
    'second.mp4',
    'third.gif',
  ])
  await form.getByRole('button', { name: /^Classify 3 clips/ }).click()
  for (const name of ['first.mp4', 'second.mp4', 'third.gif'])
    await expect(library(page).getByRole('button', { name: `Delete the classification of ${name}` })).toBeVisible()
  await expect(form.getByRole('list', { name: 'Classified after it' })).toBeHidden()
})
