import { expect, slowSteps, test } from './studio.ts'

test.use({ fault: slowSteps })

test('tokens are counted as one types, in parts or as plain words, also while a clip is made', async ({
  studio: page,
}) => {
  const form = page.getByRole('form', { name: 'Generate' })
  const prompts = form.getByRole('region', { name: 'Prompts' })
  const prompt = form.getByRole('textbox', { name: 'Prompt', exact: true })
  const parts = prompts.getByRole('list', { name: 'Read in parts' })
  await prompt.fill('')
  await expect(prompts.getByText(/\d tokens/)).toHaveCount(0)
  await prompt.fill('a (red:1.2) circle')
  await expect(prompts.getByText('3/75 tokens')).toBeVisible()
  await form.getByRole('button', { name: /^Generate/ }).click()
  await expect(form.getByRole('button', { name: /^Add to queue/ })).toBeVisible()
  await prompt.fill('a red circle BREAK a black background')
  await expect(prompts.getByText('6/150 tokens')).toBeVisible()
  await expect(parts.getByRole('listitem')).toHaveText(['Part 2 a black background …'])
  await expect(form.getByRole('button', { name: /^Add to queue/ })).toBeVisible()

  await form.getByRole('button', { name: /^Advanced/ }).click()
  await form.getByRole('button', { name: 'Plain words' }).click()
  await expect(parts).toBeHidden()
  await prompt.fill('a red circle '.repeat(26))
  await expect(prompts.getByText('78/75 tokens')).toBeVisible()
  await expect(prompts.getByText('Left out from “a red circle …” on')).toBeVisible()
})
