import { execFileSync } from 'node:child_process'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Download, Page } from '@playwright/test'
import sharp from 'sharp'
import { recipeSchema } from '../app/contract/recipe.ts'
import { putWebpRecipe } from '../app/media/recipe-webp.ts'
import { readRecipeFile } from '../app/media/node/recipe-file.ts'
import { openClip } from '../app/media/node/decode.ts'
import { drop, followPreviews, untilStep } from './run.ts'
import { expect, slowSteps, startHost, test } from './studio.ts'

const media = join(import.meta.dirname, 'goldens/media')
const stage = (page: Page) => page.getByRole('region', { name: 'Stage' })
const library = (page: Page) => page.getByRole('region', { name: 'Library' })

async function setNumber(page: Page, name: string, value: number): Promise<void> {
  const field = page.getByRole('textbox', { name, exact: true })
  await field.fill(String(value))
  await field.press('Tab')
}

/** Fills the form and starts; the seed is locked, so that the same one is used again. */
async function generate(
  page: Page,
  { prompt, seed, steps }: { prompt: string; seed: number; steps: number },
): Promise<void> {
  await page.getByRole('tab', { name: 'Generate' }).click()
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill(prompt)
  await setNumber(page, 'Steps value', steps)
  await setNumber(page, 'Seed', seed)
  const lock = page.getByRole('button', { name: 'Lock seed' })
  if ((await lock.getAttribute('aria-pressed')) === 'false') await lock.click()
  await page.getByRole('button', { name: /^(Generate|Add to queue)/ }).click()
}

const cancelled = (page: Page) =>
  stage(page)
    .getByText(/cancelled/i)
    .first()
const finished = (page: Page) => stage(page).getByRole('button', { name: 'Export' })

async function exported(page: Page, format: RegExp): Promise<Download> {
  const download = page.waitForEvent('download')
  await stage(page).getByRole('button', { name: 'Export' }).click()
  await page.getByRole('menu', { name: 'Export' }).getByRole('menuitem', { name: format }).click()
  return download
}

test.describe('a run that can be acted on', () => {
  test.use({ fault: slowSteps })

  test('a prompt becomes a clip: previews, FreeU in mid-run, export, recipe restored, results after a restart', async ({
    studio: page,
    dataDir,
    host,
  }) => {
    const prompt = 'a red circle moving left on a black background'
    const steps = 12

    await test.step('previews change while it runs', async () => {
      const pictures = await followPreviews(page)
      await generate(page, { prompt, seed: 11, steps: 500 })
      await expect.poll(pictures).toBeGreaterThan(2)
      await page.keyboard.press('Control+.')
      await expect(cancelled(page)).toBeVisible()
    })

    await test.step('then there is a clip', async () => {
      await generate(page, { prompt, seed: 11, steps })
      await expect(finished(page)).toBeVisible()
      await expect(library(page).getByRole('listitem')).toHaveCount(1)
    })

    const plain = await exported(page, /GIF/)

    await test.step('FreeU moved in mid-run changes the outcome of the same seed', async () => {
      await generate(page, { prompt, seed: 11, steps })
      await untilStep(page, 2)
      await page.getByRole('switch', { name: 'FreeU' }).dispatchEvent('click')
      await page.getByRole('slider', { name: 's1' }).press('Home')
      await expect(finished(page)).toBeVisible()
      await expect(stage(page)).toContainText(/FreeU changed at step/)
    })

    const changed = await exported(page, /GIF/)
    const [first, second] = await Promise.all(
      [plain, changed].map(async (download) => (await openClip(await download.path())).readFrames([0])),
    )
    expect(Buffer.compare(first![0]!.data, second![0]!.data)).not.toBe(0)

    await test.step('exports MP4 with the recipe inside', async () => {
      const download = await exported(page, /MP4/)
      expect(download.suggestedFilename()).toMatch(/\.mp4$/)
      const file = await download.path()
      expect((await stat(file)).size).toBeGreaterThan(1000)
      const clip = await openClip(file)
      expect([clip.frameCount, clip.width, clip.height]).toEqual([8, 64, 64])
      expect(JSON.parse((await readRecipeFile(file))!)).toMatchObject({ settings: { prompt, seed: 11 } })
    })

    await test.step('dropping the GIF back restores its settings', async () => {
      await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill('something else')
      await setNumber(page, 'Seed', 5)
      await drop(page, await plain.path(), 'clip.gif')
      await expect(page.getByRole('textbox', { name: 'Prompt', exact: true })).toHaveValue(prompt)
      await expect(page.getByRole('textbox', { name: 'Seed', exact: true })).toHaveValue('11')
    })

    await test.step('a clip that was made with other weights says so', async () => {
      const recipe = recipeSchema.parse(JSON.parse((await readRecipeFile(await plain.path()))!))
      const { sha256 } = recipe.models.model![0]!
      for (const file of Object.keys(sha256)) sha256[file] = 'c'.repeat(64)
      const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: '#369' } })
      const other = join(dataDir, 'other.webp')
      await writeFile(other, putWebpRecipe(await picture.webp().toBuffer(), JSON.stringify(recipe)))
      await drop(page, other, 'other.webp')
      await expect(page.getByText(/“Moving Shapes \(demo\)” here has other weights/)).toBeVisible()
    })

    await test.step('the results are there after a reload, and after the host was started anew', async () => {
      await page.reload()
      await expect(library(page).getByRole('listitem')).toHaveCount(2)
      await host.stop()
      await expect(page.getByRole('alert').filter({ hasText: 'lost its host' }).first()).toBeVisible()
      const again = await startHost(dataDir)
      await page.goto(again.url)
      await expect(library(page).getByRole('listitem')).toHaveCount(2)
      await again.stop()
    })
  })
})

test('the engine is killed in mid-run: the page says so and the next run works', async ({ studio: page, host }) => {
  await generate(page, { prompt: 'a blue star growing on a cream background', seed: 1, steps: 500 })
  await untilStep(page, 2)
  process.kill(enginePid(host.process.pid!), 'SIGKILL')
  await expect(stage(page)).toContainText('The engine stopped while it made this clip')
  await page.getByRole('button', { name: /^Engine: Ready/ }).waitFor()
  await generate(page, { prompt: 'a blue star growing on a cream background', seed: 1, steps: 3 })
  await expect(finished(page)).toBeVisible()
})

test('the host is killed in mid-run: the queue goes on at its next start, the lost job with one click', async ({
  studio: page,
  host,
  dataDir,
}) => {
  await generate(page, { prompt: 'a red star', seed: 1, steps: 500 })
  await untilStep(page, 1)
  await generate(page, { prompt: 'a green circle', seed: 1, steps: 3 })
  await expect(library(page).getByText('In the queue')).toBeVisible()
  host.process.kill('SIGKILL')
  await expect(page.getByRole('alert').filter({ hasText: 'lost its host' }).first()).toBeVisible()

  const again = await startHost(dataDir)
  await page.goto(again.url)
  const lost = library(page).getByRole('listitem').filter({ hasText: 'a red star' })
  await expect(lost).toContainText('Interrupted')
  const clips = library(page).getByText('8 f, 64 × 64')
  await expect(clips).toHaveCount(1)
  await lost.getByRole('button', { name: 'Run a red star again' }).click()
  await untilStep(page, 1)
  await expect(lost).not.toContainText('Interrupted')
  await expect(stage(page)).toContainText('a red star')
  await again.stop()
})

test('cancel stops a run, and the page is ready for the next', async ({ studio: page }) => {
  await generate(page, { prompt: 'a green square', seed: 1, steps: 500 })
  await untilStep(page, 1)
  await page.keyboard.press('Control+.')
  await expect(cancelled(page)).toBeVisible()
  await expect(library(page).getByText('8 f, 64 × 64')).toHaveCount(0)
})

test('a clip of media/ gets its labels, and shows which frames were used', async ({ studio: page }) => {
  await page.getByRole('tab', { name: 'Classify' }).click()
  const form = page.getByRole('form', { name: 'Classify' })
  const used = page.getByRole('region', { name: 'Frames used' }).getByRole('img')
  const classify = async (file: string): Promise<void> => {
    await page.locator('input[type=file]').first().setInputFiles(join(media, file))
    await form.getByRole('button', { name: /^Classify/ }).click()
  }
  await classify('h264-bframes.mp4')
  await expect(used).toHaveCount(8)
  await expect(page.getByText('star growing').first()).toBeVisible()

  await test.step('a GIF, which the page cannot decode, is read by the engine', async () => {
    await classify('animated.gif')
    // Its result's own button: the running job has the same name.
    const result = library(page).getByRole('button', { name: 'Delete the classification of animated.gif' })
    await expect(result).toBeVisible()
    await expect(used).toHaveCount(8)
  })
  await test.step('a clip with too few frames says that some were used more than once', async () => {
    await classify('short-3-frames.mp4')
    await expect(page.getByText(/used more than once/)).toBeVisible()
  })
  await test.step('a broken file is refused in words', async () => {
    await page.locator('input[type=file]').first().setInputFiles(join(media, 'bad-text.mp4'))
    await expect(page.getByText(/bad-text\.mp4.*(not|cannot)/i).first()).toBeVisible()
  })
})

test('a clip made here is classified with one click', async ({ studio: page }) => {
  await generate(page, { prompt: 'a white circle standing still on a navy background', seed: 4, steps: 8 })
  await expect(finished(page)).toBeVisible()
  await stage(page).getByRole('button', { name: 'Classify' }).click()
  await expect(page.getByRole('region', { name: 'Frames used' }).getByRole('img')).toHaveCount(8)
})

test('what was repaired when the library was opened is told', async ({ page, dataDir }) => {
  await writeFile(join(dataDir, 'library.sqlite'), 'no database '.repeat(500))
  const host = await startHost(dataDir)
  await page.goto(host.url)
  await expect(page.getByText(/^The library file was damaged/)).toBeVisible()
  await host.stop()
})

for (const colorScheme of ['dark', 'light'] as const)
  test(`both views have no accessibility fault, ${colorScheme}`, async ({ studio: page }) => {
    await page.emulateMedia({ colorScheme })
    for (const view of ['Generate', 'Classify']) {
      await page.getByRole('tab', { name: view }).click()
      const { violations } = await new AxeBuilder({ page }).analyze()
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([])
    }
  })

/** The engine is the host's only child process. */
function enginePid(host: number): number {
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(host)], { encoding: 'utf8' })
  return Number(children.trim().split('\n')[0])
}
