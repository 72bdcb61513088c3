import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Page, WebSocketRoute } from '@playwright/test'
import sharp from 'sharp'
import { drop } from './run.ts'
import { expect, openStudio, slowSteps, test } from './studio.ts'

const stage = (page: Page) => page.getByRole('region', { name: 'Stage' })
const library = (page: Page) => page.getByRole('region', { name: 'Library' })
const prompt = (page: Page) => page.getByRole('textbox', { name: 'Prompt', exact: true })
const finished = (page: Page) => stage(page).getByRole('button', { name: 'Export' })

async function generate(page: Page, words: string, steps = 1): Promise<void> {
  await prompt(page).fill(words)
  const field = page.getByRole('textbox', { name: 'Steps value', exact: true })
  await field.fill(String(steps))
  await field.press('Tab')
  await page.getByRole('button', { name: /^Generate/ }).click()
}

for (const kept of ['x', 'null', '{"form":2', '{"form":"wide","stage":null}'])
  test(`the page is there whatever the browser kept of its layout: ${kept}`, async ({ page, host }) => {
    await page.addInitScript((text) => {
      for (const id of ['rows', 'generate-wide', 'classify-wide'])
        localStorage.setItem(`react-resizable-panels:${id}`, text)
      localStorage.setItem('frameloom.draft', text)
      localStorage.setItem('frameloom.draft-history', text)
    }, kept)
    await openStudio(page, host)
    await expect(prompt(page)).toBeVisible()
  })

test('a part that cannot be drawn says so in its place, with a way on; the rest of the page works', async ({
  studio: page,
}) => {
  await generate(page, 'a red circle')
  await expect(finished(page)).toBeVisible()
  await stage(page).getByRole('button', { name: 'Pause' }).click()
  await page.evaluate(() => {
    type Draw = (this: CanvasRenderingContext2D, image: ImageData, x: number, y: number) => void
    const prototype: { putImageData: Draw } = CanvasRenderingContext2D.prototype
    const draw = prototype.putImageData
    const state = window as unknown as { broken: boolean }
    state.broken = true
    prototype.putImageData = function (image, x, y) {
      if (state.broken && this.canvas.ariaLabel === 'a red circle') throw new Error('The canvas was lost.')
      draw.call(this, image, x, y)
    }
  })
  await page.getByRole('tab', { name: 'Classify' }).click()
  await page.getByRole('tab', { name: 'Generate' }).click()
  const alert = page.getByRole('alert').filter({ hasText: 'The stage cannot be shown' })
  await expect(alert).toContainText('The canvas was lost.')
  await prompt(page).fill('still typed')
  await alert.getByRole('button', { name: 'Try again' }).click()
  await expect(alert).toBeVisible()
  await page.evaluate(() => ((window as unknown as { broken: boolean }).broken = false))
  await alert.getByRole('button', { name: 'Try again' }).click()
  await expect(stage(page).getByRole('img')).toBeVisible()
  await expect(prompt(page)).toHaveValue('still typed')
})

test('where nothing can be drawn at all, the page still says so', async ({ page, host }) => {
  await page.addInitScript(() => {
    window.ResizeObserver = function () {
      throw new Error('This browser observes nothing.')
    } as unknown as typeof ResizeObserver
  })
  await page.goto(host.url)
  await expect(page.getByRole('alert')).toContainText('The studio cannot be shown')
  await expect(page.getByRole('button', { name: 'Reload the page' })).toBeVisible()
})

test('a clip that could not be loaded is tried again when the host is back', async ({ page, host }) => {
  let line: WebSocketRoute | undefined
  await page.routeWebSocket(/\/rpc$/, (socket) => {
    line = socket
    socket.connectToServer()
  })
  await openStudio(page, host)
  for (const words of ['the first', 'the second']) {
    await generate(page, words)
    await expect(stage(page).getByRole('heading', { name: words })).toBeVisible()
    await expect(finished(page)).toBeVisible()
  }
  await page.reload()
  await expect(stage(page).getByRole('heading', { name: 'the second' })).toBeVisible()
  await page.route('**/media/clips/*', (route) => route.abort())
  await library(page)
    .getByRole('button', { name: /^the first/ })
    .click()
  await expect(stage(page).getByText('This clip could not be loaded')).toBeVisible()
  await expect(stage(page).getByText('The studio has lost its host.')).toBeVisible()
  await page.unroute('**/media/clips/*')
  await line?.close()
  await expect(stage(page).getByRole('img')).toBeVisible()
  await expect(stage(page).getByText('This clip could not be loaded')).toBeHidden()
})

for (const [width, height] of [
  [900, 700],
  [640, 360], // 1280 x 720 at 200 %
] as const)
  test(`the recipe is at hand at ${width} x ${height}, and the clip keeps room`, async ({ studio: page }) => {
    await page.setViewportSize({ width, height })
    await generate(page, 'a red circle')
    await expect(finished(page)).toBeVisible()
    const { width: w, height: h } = (await stage(page).getByRole('img').boundingBox())!
    expect(Math.min(w, h)).toBeGreaterThan(60)
    await prompt(page).fill('another')
    await stage(page).getByRole('button', { name: 'Recipe' }).click()
    const recipe = page.getByRole('dialog', { name: 'Recipe' })
    await expect(recipe.getByText('DDIM').or(recipe.getByText('As the checkpoint says'))).toBeVisible()
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([])
    await recipe.getByRole('button', { name: 'Use these settings' }).click()
    await expect(prompt(page)).toHaveValue('a red circle')
  })

test('with less motion nothing plays until it is asked to', async ({ page, host }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await openStudio(page, host)
  await generate(page, 'a red circle')
  await expect(finished(page)).toBeVisible()
  await expect(stage(page).getByRole('button', { name: 'Play' })).toBeEnabled()
  await expect(stage(page).getByLabel('Position')).toHaveText('1 / 8')
  await stage(page).getByRole('button', { name: 'Play' }).click()
  await expect(stage(page).getByRole('button', { name: 'Pause' })).toBeVisible()
})

test.describe('a run that takes its time', () => {
  test.use({ fault: slowSteps })

  test('what is done elsewhere is told, with a way there; what is on show is said', async ({ studio: page }) => {
    await generate(page, 'a red circle', 3)
    await expect(page).toHaveTitle(/^\d+ % a red circle - Frameloom$/)
    await page.getByRole('tab', { name: 'Classify' }).click()
    const told = page.getByRole('dialog', { name: 'The clip “a red circle” is done' })
    await told.getByRole('button', { name: 'Show' }).click()
    await expect(finished(page)).toBeVisible()
    await expect(page).toHaveTitle('Frameloom')
    await generate(page, 'a blue star', 1)
    await expect(page.getByRole('status').filter({ hasText: 'The clip “a blue star” is done.' })).toBeAttached()
  })
})

test('what is done while the page is hidden is told by the system, once that was asked for', async ({
  page,
  host,
  context,
}) => {
  await context.grantPermissions(['notifications'])
  await page.addInitScript(() => {
    const told: string[] = []
    Object.assign(window, { told })
    window.Notification = new Proxy(window.Notification, {
      construct(Target, [title, options]: [string, NotificationOptions]) {
        told.push(title)
        return new Target(title, options)
      },
    })
  })
  const told = () => page.evaluate(() => (window as unknown as { told: string[] }).told)
  const hide = () => page.evaluate(() => void Object.defineProperty(document, 'hidden', { get: () => true }))
  await openStudio(page, host)
  await generate(page, 'not asked for')
  await expect(finished(page)).toBeVisible()
  await page.getByRole('button', { name: 'Settings', exact: true }).click()
  const asked = page.getByRole('switch', { name: 'Notify when done' })
  await asked.click()
  await expect(asked).toBeChecked()
  await page.keyboard.press('Escape')
  await hide()
  await generate(page, 'a red circle')
  await expect(page).toHaveTitle('The clip “a red circle” is done - Frameloom')
  expect(await told()).toEqual(['The clip “a red circle” is done'])
  await page.reload()
  await page.getByRole('button', { name: 'Settings', exact: true }).click()
  await expect(asked).toBeChecked()
})

test('in high contrast what was told by a colour is still there', async ({ page, host }) => {
  await page.emulateMedia({ forcedColors: 'active' })
  await openStudio(page, host)
  await generate(page, 'a red circle', 2)
  await expect(finished(page)).toBeVisible()
  const style = (selector: string, name: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), name)
  const canvas = await style('body', 'background-color')
  for (const selector of ['.ribbon-threads i', '.slider-track', '.slider-indicator', '.slider-thumb', '.engine-dot'])
    expect(await style(selector, 'background-color'), selector).not.toBe(canvas)
  expect(await style('.slider-indicator', 'background-color')).not.toBe(
    await style('.slider-track', 'background-color'),
  )
  for (const selector of ['.tile[data-selected] .tile-open', '.segmented button[data-pressed]'])
    expect(await style(selector, 'outline-style'), selector).toBe('solid')
  const off = await style('.switch:not([data-checked])', 'background-color')
  await page.locator('.switch:not([data-checked])').first().click()
  await expect.poll(() => style('.switch[data-checked]', 'background-color')).not.toBe(off)
})

test('numbers that do not fit are said in words, and stay as they were typed', async ({ studio: page }) => {
  const field = (name: string) => page.getByRole('textbox', { name, exact: true })
  const type = async (name: string, text: string): Promise<void> => {
    await field(name).fill(text)
    await field(name).press('Tab')
  }
  await type('Seed', '1.5')
  await expect(page.getByText('1.5 is not a whole number: use 1 or 2.')).toBeVisible()
  await type('Width', '99999')
  await expect(page.getByText('99999 is too large: at most 4096.')).toBeVisible()
  await expect(field('Width')).toHaveValue('99999')
  await type('Width', '-5')
  await expect(page.getByText('-5 is too small: at least 8.')).toBeVisible()
  await field('Seed').fill('1e99')
  await expect(page.getByText('“1e99” is not a number here')).toBeVisible()
})

test("another program's recipe fills the form, what means nothing here is listed, prompt syntax is noted", async ({
  studio: page,
  dataDir,
}) => {
  const file = join(dataDir, 'a1111.png')
  const infotext =
    'a small (red:1.3) boat\nNegative prompt: blurry\n' +
    'Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 1234, Size: 512x512, Model: dreamshaper'
  const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#369' } })
    .png()
    .toBuffer()
  const body = Buffer.concat([Buffer.from('parameters\0'), Buffer.from(infotext)])
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length)
  head.write('tEXt', 4)
  await writeFile(file, Buffer.concat([png.subarray(0, -12), head, body, Buffer.alloc(4), png.subarray(-12)]))
  await drop(page, file, 'a1111.png')
  await expect(prompt(page)).toHaveValue('a small (red:1.3) boat')
  await expect(page.getByRole('textbox', { name: 'Seed', exact: true })).toHaveValue('1234')
  await expect(page.getByRole('textbox', { name: 'Steps value' })).toHaveValue('20')
  await expect(page.getByRole('dialog', { name: 'Settings taken from AUTOMATIC1111' })).toContainText(
    'Model: dreamshaper',
  )
  const note = page.getByRole('region', { name: 'Prompts' }).getByText('“(red:1.3)” does not weigh its words here.')
  await expect(note).toBeHidden()
  await page.getByRole('button', { name: /^Advanced/ }).click()
  await page.getByRole('button', { name: 'Plain words' }).click()
  await expect(note).toBeVisible()
  await prompt(page).fill('a small red boat')
  await expect(note).toBeHidden()
})

test('a list in a dialog opens inside of it', async ({ studio: page }) => {
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Search commands' }).fill('attention')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Attention by layer' })
  await dialog.getByRole('combobox', { name: 'All layers' }).click()
  await expect(dialog.getByRole('option').first()).toBeInViewport({ ratio: 1 })
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([])
})
