import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect } from './studio.ts'
import {
  coloursOnStage,
  form,
  result,
  library,
  run,
  select,
  setNumber,
  stage,
  test,
  turnTo,
  use,
} from './with-models.ts'

const circle = join(import.meta.dirname, '../resources/demo-models/clips/red-circle-moving-left.mp4')
const recipe = (page: Page) => page.getByRole('region', { name: 'Recipe' })
const pipeline = (page: Page) => page.getByRole('combobox', { name: 'Pipeline', exact: true })
const prompt = (page: Page) => page.getByRole('textbox', { name: 'Prompt', exact: true })

type Size = { width?: number; height?: number; frames?: number; steps?: number; prior?: number }

async function fill(page: Page, { width, height, frames, steps, prior }: Size): Promise<void> {
  if (width) await setNumber(page, 'Width', width)
  if (height) await setNumber(page, 'Height', height)
  if (frames) await setNumber(page, 'Frames value', frames)
  if (steps) await setNumber(page, 'Steps value', steps)
  if (prior) await setNumber(page, 'Steps of the prior value', prior)
}

/** No fault, with every fold of the form open; in the other theme each time. */
async function accessible(page: Page, part = 'form'): Promise<void> {
  const folds = page.locator('.section-toggle[aria-expanded=false]')
  while ((await folds.count()) > 0) await folds.first().click()
  const theme = () => page.evaluate(() => document.documentElement.dataset['theme'])
  const next = (await theme()) === 'dark' ? 'light' : 'dark'
  await page.emulateMedia({ colorScheme: next, reducedMotion: 'reduce' })
  await expect.poll(theme).toBe(next)
  // A colour on its way to another has not the contrast of either.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)))
  const { violations } = await new AxeBuilder({ page }).include(part).analyze()
  expect.soft(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([])
}

/** Runs the form: what comes out is on the stage, is not of one colour, and its recipe fills the form again. */
async function makes(page: Page, words: string, size: Size): Promise<void> {
  await prompt(page).fill(words)
  await fill(page, size)
  await accessible(page)
  await run(page)
  await expect(stage(page).getByRole('heading', { name: words })).toBeVisible()
  await expect.poll(() => coloursOnStage(page)).toBeGreaterThan(8)
  await prompt(page).fill('something else')
  await recipe(page).getByRole('button', { name: 'Use these settings' }).click()
  await expect(prompt(page)).toHaveValue(words)
}

/** Generate says what is wrong, takes the focus there, and nothing is begun. */
async function refused(page: Page, message: RegExp): Promise<void> {
  const listed = library(page).getByRole('listitem')
  const before = await listed.count()
  await form(page)
    .getByRole('button', { name: /^Generate/ })
    .click()
  await expect(form(page).getByRole('alert').filter({ hasText: message }).first()).toBeVisible()
  expect(await page.evaluate(() => document.activeElement?.closest('form [data-field]') !== null)).toBe(true)
  await expect(listed).toHaveCount(before)
}

test('stills of every kind, and embeddings: made, varied, mixed', async ({ studio: page }) => {
  await test.step('Stable Diffusion, and from its picture', async () => {
    await turnTo(page, 'Still', 'Text to image')
    await makes(page, 'a still', { steps: 2 })
    await use(page, 'Vary this picture')
    await expect(pipeline(page)).toHaveText('Image to image')
    await makes(page, 'a still varied', { steps: 3 })
  })
  await test.step('Stable Diffusion XL, and from the same picture', async () => {
    await turnTo(page, 'Vary', 'Image to image XL')
    await makes(page, 'a still varied by XL', { width: 32, height: 32, steps: 4 })
    await turnTo(page, 'Still', 'Text to image XL')
    await makes(page, 'a still by XL', { steps: 2 })
  })
  await test.step('PixArt, and unCLIP, which makes pictures of one size', async () => {
    await turnTo(page, 'Still', 'PixArt')
    await makes(page, 'a still by PixArt', { width: 64, height: 64, steps: 2 })
    await turnTo(page, 'Still', 'unCLIP')
    await makes(page, 'a still by karlo', { steps: 2, prior: 2 })
  })
  await test.step('a prior makes an embedding, which is drawn, mixed with a picture', async () => {
    await turnTo(page, 'Mix', 'Mix to embedding')
    await prompt(page).fill('an embedding')
    await fill(page, { prior: 2 })
    await accessible(page)
    await run(page)
    await expect(stage(page).getByText('embedding', { exact: true })).toBeVisible()
    await accessible(page, 'body')
    const download = page.waitForEvent('download')
    await stage(page).getByRole('button', { name: 'Save as file' }).click()
    expect((await download).suggestedFilename()).toMatch(/^an-embedding-\d+\.safetensors$/)
    await use(page, 'Draw it')
    await expect(pipeline(page)).toHaveText('Prior and decoder')
    await result(page, 'a still by karlo')
      .getByRole('button', { name: /^Actions/ })
      .click()
    await page.getByRole('menuitem', { name: 'Mix it in' }).click()
    await form(page).getByRole('button', { name: 'Text', exact: true }).click()
    await refused(page, /to be mixed in is not chosen yet/)
    await page.getByRole('textbox', { name: 'Text 3', exact: true }).fill('a boat')
    await accessible(page)
    await fill(page, { width: 48, height: 32, steps: 2 })
    await run(page)
    await expect.poll(() => coloursOnStage(page)).toBeGreaterThan(8)
    await expect(recipe(page).getByText('“a boat”, weight 0.5')).toBeVisible()
  })
  await accessible(page, 'body')
})

test('clips of every kind: made, begun, varied, steered, longer, and read', async ({ studio: page }) => {
  await test.step('AnimateDiff, and from its clip', async () => {
    await turnTo(page, 'Clip', 'Text to video')
    await makes(page, 'a clip', { frames: 4, steps: 2 })
    await use(page, 'Vary this clip')
    await expect(pipeline(page)).toHaveText('Video to video')
    await makes(page, 'a clip varied', { steps: 3 })
  })
  await test.step('ModelScope, and from the same clip', async () => {
    await turnTo(page, 'Vary', 'Video to video (ModelScope)')
    await makes(page, 'a clip varied by ModelScope', { width: 24, height: 16, frames: 3, steps: 4 })
    await turnTo(page, 'Clip', 'Text to video (ModelScope)')
    await makes(page, 'a clip by ModelScope', { steps: 2 })
  })
  await test.step('Stable Diffusion XL', async () => {
    await turnTo(page, 'Clip', 'Text to video XL')
    await makes(page, 'a clip by XL', { width: 24, height: 16, frames: 3, steps: 2 })
  })
  await test.step('a still is the first frame of a clip', async () => {
    await turnTo(page, 'Still', 'Text to image')
    await prompt(page).fill('a still')
    await fill(page, { width: 64, height: 64, steps: 2 })
    await run(page)
    await use(page, 'First frame of a clip')
    await expect(pipeline(page)).toHaveText('Image to video')
    await makes(page, 'a clip of a still', { frames: 4, steps: 3 })
  })
  await test.step('longer than the model sees, with another prompt on the way', async () => {
    await turnTo(page, 'Clip', 'Text to video')
    await fill(page, { width: 32, height: 32, frames: 40, steps: 2 })
    await refused(page, /^40 frames are more than/)
    await select(page, 'How frames are seen', 'Closed loop')
    await fill(page, { frames: 12 })
    await setNumber(page, 'Frames of a window value', 8)
    await refused(page, /^Windows of 8 frames that begin every 12 frames leave frames out/)
    await setNumber(page, 'Frames from one window to the next value', 6)
    await form(page).getByRole('button', { name: 'Add a later prompt' }).click()
    await page.getByRole('textbox', { name: 'Prompt from frame 6' }).fill('a blue star')
    await makes(page, 'a long clip', {})
    await expect(recipe(page).getByText('8 frames, every 6')).toBeVisible()
    await expect(recipe(page).getByText('a blue star')).toBeVisible()
  })
  await test.step('steered by a ControlNet, a SparseCtrl and an IP-Adapter, not of another base', async () => {
    await select(page, 'How frames are seen', 'All frames at once')
    for (const what of ['Picture for an IP-Adapter', 'Frame for SparseCtrl']) {
      await result(page, 'a still')
        .getByRole('button', { name: /^Actions/ })
        .click()
      await page.getByRole('menuitem', { name: what }).click()
      await expect(page.getByRole('menuitem')).toHaveCount(0)
    }
    await form(page).getByRole('button', { name: 'Add ControlNet' }).click()
    await page.getByLabel('Frames file').setInputFiles(circle)
    await refused(page, /is for another base model/)
    await select(page, 'Model', /^sd-tiny-2/)
    await makes(page, 'a steered clip', { width: 24, height: 16, frames: 8, steps: 2 })
  })
  await test.step('and its labels are read', async () => {
    await stage(page).getByRole('button', { name: 'Classify' }).click()
    await expect(page.getByRole('region', { name: 'Frames used' }).getByRole('img')).toHaveCount(8)
    await accessible(page, 'body')
    await page.getByRole('tab', { name: 'Generate' }).click()
    await form(page).getByRole('button', { name: 'Read', exact: true }).click()
    await expect(page.getByRole('form', { name: 'Classify' })).toBeVisible()
  })
})
