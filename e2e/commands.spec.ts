import AxeBuilder from '@axe-core/playwright'
import { expect, test } from './studio.ts'

test('commands: palette, keys and buttons find what the table says, and leave text and dialogs alone', async ({
  studio: page,
}) => {
  const prompt = page.getByRole('textbox', { name: 'Prompt', exact: true })
  const palette = page.getByRole('dialog', { name: 'Commands' })
  const search = palette.getByRole('combobox', { name: 'Search commands' })
  const view = (name: string) => page.getByRole('tab', { name, exact: true })

  await test.step('the palette opens from a text field, finds by words, and gives the focus back', async () => {
    await prompt.focus()
    await page.keyboard.press('Control+k')
    await expect(search).toBeFocused()
    await expect(palette.getByRole('option').first()).toHaveAttribute('data-highlighted', '')
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations.map(({ id }) => id)).toEqual([])
    await search.fill('no such command')
    await expect(palette.getByText('No command, clip or processor map has these words in its name.')).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(palette).toBeHidden()
    await expect(prompt).toBeFocused()
  })

  await test.step('arrows and Enter choose from it', async () => {
    await page.keyboard.press('Control+k')
    await search.fill('to go')
    await expect(palette.getByRole('option')).toHaveText([/Go to Generate/, /Go to Classify/])
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await expect(palette).toBeHidden()
    await expect(view('Classify')).toHaveAttribute('aria-selected', 'true')
  })

  await test.step('it finds what can be done with a clip, and the clips and maps themselves', async () => {
    await view('Generate').click()
    await prompt.fill('a red circle')
    const steps = page.getByRole('textbox', { name: 'Steps value', exact: true })
    await steps.fill('1')
    await page.keyboard.press('Control+Enter')
    await page.getByRole('region', { name: 'Stage' }).getByRole('button', { name: 'Export' }).waitFor()
    const found = async (words: string) => {
      await page.keyboard.press('Control+k')
      await search.fill(words)
      return palette.getByRole('option')
    }
    for (const [words, names] of [
      ['export', /^Export as MP4/],
      ['cancel all', undefined],
      ['zoom', /^Zoom to fit/],
      ['speed', /^Play at a lower speed/],
      ['red circle', /^Show clip “a red circle”, seed \d+/],
    ] as const) {
      const options = await found(words)
      if (names) await expect(options.first()).toHaveText(names)
      else await expect(options).toHaveCount(0) // nothing runs
      await page.keyboard.press('Escape')
    }
    await view('Classify').click()
    await expect(await found('show clip red')).toHaveCount(1)
    await page.keyboard.press('Enter')
    await expect(view('Generate')).toHaveAttribute('aria-selected', 'true')
  })

  await test.step('a letter is a key outside of text fields and a letter inside', async () => {
    await view('Classify').focus()
    await page.keyboard.press('g')
    await expect(view('Generate')).toHaveAttribute('aria-selected', 'true')
    await prompt.fill('')
    await prompt.press('c')
    await expect(prompt).toHaveValue('c')
    await expect(view('Generate')).toHaveAttribute('aria-selected', 'true')
  })

  await test.step('a dialog keeps the keys to itself', async () => {
    await page.getByRole('button', { name: 'Settings', exact: true }).click()
    const settings = page.getByRole('dialog', { name: 'Settings' })
    await page.keyboard.press('Control+k')
    await expect(settings).toBeVisible()
    await expect(palette).toBeHidden()
    await page.keyboard.press('Escape')
    await expect(settings).toBeHidden()
  })

  await test.step('a run that cannot start goes to the field that keeps it', async () => {
    const seed = page.getByRole('textbox', { name: 'Seed', exact: true })
    await seed.fill('1.5')
    await seed.press('Tab')
    await prompt.press('Control+Enter')
    await expect(seed).toBeFocused()
  })
})
