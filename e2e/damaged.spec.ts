import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeClip } from '../app/media/node/test-clips.ts'
import { expect, test } from './studio.ts'

const cli = join(import.meta.dirname, '..', 'main/cli/bin.mjs')

let folder: string
test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frameloom-damaged-page-'))
})
test.afterAll(() => rm(folder, { recursive: true, force: true }))

type Said = { frameCount: number; notes: string[] }

test('a clip that is cut short or transparent has one answer on the page and on the command line', async ({
  studio: page,
  dataDir,
}) => {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=160x120:rate=24:duration=2,noise=alls=40:allf=t']
  const whole = join(folder, 'whole.mp4')
  await makeClip([...source, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-crf', '5', '-movflags', '+faststart'], whole)
  const bytes = await readFile(whole)
  await writeFile(join(folder, 'cut.mp4'), bytes.subarray(0, Math.floor(bytes.length * 0.6)))
  const alpha = ['-f', 'lavfi', '-i', 'testsrc2=size=96x64:rate=8:duration=2,format=rgba,colorchannelmixer=aa=0.4']
  await makeClip([...alpha, '-c:v', 'libvpx-vp9', '-pix_fmt', 'yuva420p'], join(folder, 'alpha.webm'))

  await page.getByRole('tab', { name: 'Classify' }).click()
  const form = page.getByRole('form', { name: 'Classify' })
  for (const name of ['cut.mp4', 'alpha.webm'])
    await test.step(name, async () => {
      const file = join(folder, name)
      const { stdout } = await promisify(execFile)(process.execPath, [cli, 'classify', '--json', file], {
        env: { ...process.env, FRAMELOOM_DATA: join(dataDir, 'cli') },
      })
      const [said] = JSON.parse(stdout) as [Said]
      expect(said.notes).toEqual(
        name === 'cut.mp4'
          ? [`The clip is cut short or damaged: ${said.frameCount} of 48 frames could be decoded.`]
          : [],
      )
      await page.locator('input[type=file]').first().setInputFiles(file)
      // Also of a file that breaks off: as far as it goes.
      await expect(page.getByRole('region', { name: 'Stage' }).getByRole('img')).toBeVisible()
      await form.getByRole('button', { name: /^Classify/ }).click()
      await page
        .getByRole('button', { name: `Delete the classification of ${name}` })
        .first()
        .waitFor()
      await expect(page.getByRole('region', { name: 'Frames used' })).toContainText(`from ${said.frameCount} frames`)
      for (const note of said.notes) await expect(page.getByText(note).first()).toBeVisible()
    })
})
