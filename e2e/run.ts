import { readFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'

// What is looked at inside the page, as often as it paints: a quick machine is done before a look from outside comes
// round again.

/** Resolves when the run on the stage has reached this step; rejects when it ends before. */
export const untilStep = (page: Page, least: number): Promise<void> =>
  page.evaluate(
    (least) =>
      new Promise<void>((resolve, reject) => {
        let seen = 0
        requestAnimationFrame(function look() {
          const bar = document.querySelector('[role=progressbar][aria-label=Progress]')
          const step = Number(/^Step (\d+)/.exec(bar?.getAttribute('aria-valuetext') ?? '')?.[1] ?? 0)
          if (step >= least) resolve()
          else if (seen > 0 && !bar)
            reject(new Error(`the run ended after step ${seen}, before step ${least} was seen`))
          else requestAnimationFrame(look)
          seen = Math.max(seen, step)
        })
      }),
    least,
  )

/**
 * Follows what the stage's own canvas is given to show of the previews of the run that is started next. The player is
 * paused at the first of them: what changes from then on are the previews. @returns how many different pictures were
 * drawn since
 */
export async function followPreviews(page: Page): Promise<() => Promise<number>> {
  const seen = await page.evaluateHandle(() => {
    const seen = new Set<string>()
    let paused = false
    type Draw = (this: CanvasRenderingContext2D, image: ImageData, x: number, y: number) => void
    const prototype: { putImageData: Draw } = CanvasRenderingContext2D.prototype
    const draw = prototype.putImageData
    prototype.putImageData = function (image, x, y) {
      if (paused && this.canvas.ariaLabel?.startsWith('Preview:')) seen.add(image.data.join())
      draw.call(this, image, x, y)
    }
    requestAnimationFrame(function pause() {
      const shown = document.querySelector('canvas[aria-label^="Preview:"]')
      const button = document.querySelector<HTMLButtonElement>('button[aria-label="Pause"]:enabled')
      if (shown && button) button.click()
      paused = document.querySelector('button[aria-label="Play"]:enabled') !== null && shown !== null
      if (!paused) requestAnimationFrame(pause)
    })
    return seen
  })
  return () => seen.evaluate((pictures) => pictures.size)
}

/** Drops a file on the page as the desktop does. */
export const drop = (page: Page, file: string, name: string): Promise<void> => dropAll(page, { [name]: file })

/** Drops several at once: paths by the names that the page is told. */
export async function dropAll(page: Page, files: Readonly<Record<string, string>>): Promise<void> {
  const read = Object.entries(files).map(async ([name, file]) => ({ name, bytes: await readFile(file, 'base64') }))
  const transfer = await page.evaluateHandle(
    (files) => {
      const transfer = new DataTransfer()
      for (const { name, bytes } of files)
        transfer.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name))
      return transfer
    },
    await Promise.all(read),
  )
  for (const type of ['dragenter', 'dragover', 'drop'])
    await page.dispatchEvent('body', type, { dataTransfer: transfer })
}
