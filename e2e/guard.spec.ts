import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, test } from './studio.ts'

/** A page of another origin, in the very browser that holds the studio's cookie, gets nothing and changes nothing. */
test('a web page of another origin reads no byte of the studio', async ({ studio: page, host }) => {
  const server = createServer((_, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>other</title>'),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const studioOrigin = new URL(host.url).origin
  const icon = await page.locator('link[rel=icon]').evaluate((link: HTMLLinkElement) => link.href)
  const other = await page.context().newPage()
  try {
    await other.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    const outcomes = await other.evaluate(
      async ({ origin, icon }) => {
        const attempt = async (path: string, init: RequestInit): Promise<string> => {
          try {
            const response = await fetch(`${origin}${path}`, { credentials: 'include', ...init })
            return `${response.type} ${(await response.text()).length}`
          } catch {
            return 'blocked'
          }
        }
        const socket = new Promise<string>((resolve) => {
          const ws = new WebSocket(`${origin.replace('http', 'ws')}/rpc`)
          ws.onopen = () => resolve('open')
          ws.onerror = () => resolve('blocked')
        })
        const frame = new Promise<string>((resolve) => {
          const element = document.createElement('iframe')
          element.src = origin
          element.onload = () => resolve(element.contentDocument ? 'readable' : 'opaque')
          document.body.append(element)
        })
        const image = new Promise<string>((resolve) => {
          const element = new Image()
          element.onload = () => resolve('loaded')
          element.onerror = () => resolve('blocked')
          element.src = icon
        })
        return {
          page: await attempt('/', {}),
          opaque: await attempt('/', { mode: 'no-cors' }),
          upload: await attempt('/media/uploads?name=x.mp4', { method: 'POST', body: 'x' }),
          socket: await socket,
          frame: await frame,
          image: await image,
        }
      },
      { origin: studioOrigin, icon },
    )
    expect(outcomes).toEqual({
      page: 'blocked',
      opaque: expect.stringMatching(/^(blocked|opaque 0)$/),
      upload: 'blocked',
      socket: 'blocked',
      frame: 'opaque',
      image: 'blocked',
    })
    await expect(other.frameLocator('iframe').getByRole('tab', { name: 'Generate' })).toHaveCount(0)
  } finally {
    server.close()
  }
  await expect(page.getByRole('button', { name: /^Engine: Ready/ })).toBeVisible()
})

test('a launch link works once', async ({ studio: page, host, browser }) => {
  await expect(page).not.toHaveURL(/token/)
  const stranger = await browser.newPage()
  const response = await stranger.goto(host.url)
  expect(response?.status()).toBe(403)
  await expect(stranger.locator('body')).toContainText(/link/i)
  await stranger.close()
})
