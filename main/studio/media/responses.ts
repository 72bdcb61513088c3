import type { Problem } from '#app/contract/errors.ts'
import { rawFramesHeader, type RawFrames } from '#app/contract/media-routes.ts'

/** What every media answer carries: whatever the bytes are, a browser that opens them as a page runs nothing. */
const always = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

const statusOf: Record<Problem['code'], number> = {
  'bad-input': 400,
  'bad-media': 400,
  'bad-model': 422,
  unsupported: 501,
  'out-of-memory': 503,
  'engine-lost': 503,
  'not-finite': 500,
  cancelled: 499,
  'not-found': 404,
  disk: 507,
  internal: 500,
}

export const problemResponse = (problem: Problem, status = statusOf[problem.code]): Response =>
  Response.json(problem, { status, headers: always })

export const jsonResponse = (value: unknown): Response => Response.json(value, { headers: always })

/** A body of known length. */
export const bytesResponse = (
  body: BodyInit,
  length: number,
  type: string,
  more: Record<string, string> = {},
): Response =>
  new Response(body, { headers: { ...always, 'content-type': type, 'content-length': String(length), ...more } })

export const streamResponse = (body: ReadableStream, type: string, more: Record<string, string> = {}): Response =>
  new Response(body, { headers: { ...always, 'content-type': type, ...more } })

export const framesHeader = (frames: RawFrames): Record<string, string> => ({
  [rawFramesHeader]: JSON.stringify(frames),
})

export const rawType = 'application/octet-stream'
