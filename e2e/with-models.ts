import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, type Locator, type Page } from '@playwright/test'
import { test as base } from './studio.ts'

const goldens = join(import.meta.dirname, 'goldens')
const tiny = [
  'sd-tiny-2',
  'motion-adapter-2',
  'sdxl-tiny',
  'motion-adapter-xl',
  'pixart-sigma-32',
  'kandinsky-prior-2',
  'kandinsky-decoder-ddpm',
  'karlo',
  'text-to-video-tiny',
  'controlnet-tiny',
  'sparsectrl-simplified',
  'ip-image-encoder',
]

/** The studio with a model of random weights for each pipeline beside the bundled ones. */
export const test = base.extend({
  dataDir: async ({ dataDir }, use) => {
    const models = join(dataDir, 'models')
    for (const name of tiny)
      await cp(join(goldens, 'pipelines/checkpoints', name), join(models, name), { recursive: true })
    await cp(join(goldens, 'checkpoints/ip-adapter'), join(models, 'ip-adapter'), { recursive: true })
    await use(dataDir)
  },
})

export const stage = (page: Page): Locator => page.getByRole('region', { name: 'Stage' })
export const library = (page: Page): Locator => page.getByRole('region', { name: 'Library' })
export const form = (page: Page): Locator => page.getByRole('form', { name: 'Generate' })

export async function setNumber(page: Page, name: string, value: number): Promise<void> {
  const field = page.getByRole('textbox', { name, exact: true })
  await field.fill(String(value))
  await field.press('Tab')
}

export async function select(page: Page, name: string, choice: string | RegExp): Promise<void> {
  await page.getByRole('combobox', { name, exact: true }).click()
  await page.getByRole('option', { name: choice }).first().click()
}

/** Turns the form to a pipeline: what one wants, then how. */
export async function turnTo(page: Page, aim: string, way?: string): Promise<void> {
  await form(page).getByRole('button', { name: aim, exact: true }).click()
  const choice = page.getByRole('combobox', { name: 'Pipeline', exact: true })
  if (!way || (await choice.innerText()) === way) return
  await choice.click()
  await page.getByRole('option', { name: way, exact: true }).click()
}

/** Of the picture on the stage, or of the first frame of the clip. */
export const coloursOnStage = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('.viewport canvas')
    const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? []
    return new Set(new Uint32Array(Uint8ClampedArray.from(pixels).buffer)).size
  })

/** What is finished, in the library. */
const results = (page: Page): Locator =>
  library(page)
    .getByRole('listitem')
    .filter({ has: page.locator('.tile-meta[title^=Seed]') })
export const result = (page: Page, title: string): Locator =>
  results(page).filter({ has: page.getByText(title, { exact: true }) })

/** Runs the form as it stands, until one result more is in the library. */
export async function run(page: Page): Promise<void> {
  const before = await results(page).count()
  await form(page)
    .getByRole('button', { name: /^(Generate|Add to queue)/ })
    .click()
  await expect(results(page)).toHaveCount(before + 1)
}

/** A press of one of the buttons under the picture on the stage. */
export const use = (page: Page, what: string): Promise<void> =>
  stage(page).getByRole('button', { name: what, exact: true }).click()
