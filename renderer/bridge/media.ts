import { mediaRefSchema, type MediaRef } from '#app/contract/media-refs.ts'
import { rawFramesHeader, rawFramesSchema, uploadReplySchema, type RawFrames } from '#app/contract/media-routes.ts'
import { ProblemError, problemSchema } from '#app/contract/errors.ts'
import type { hostExportFormats } from '#app/contract/results.ts'

// The same paths in both hosts: relative to http://HOST/ and to studio://app/.
export const clipUrl = (id: string): string => `/media/clips/${encodeURIComponent(id)}.webp`
export const embeddingUrl = (id: string): string => `/media/embeddings/${encodeURIComponent(id)}.safetensors`
export const exportUrl = (id: string, format: (typeof hostExportFormats)[number]): string =>
  `/media/clips/${encodeURIComponent(id)}/export.${format}`

/** A picture or clip that a run reads, by its content. */
export const inputUrl = ({ sha256 }: MediaRef): string => `/media/inputs/${sha256}`

/** Raw RGB24 frames with their sizes. */
export type RawPixels = RawFrames & { data: Uint8Array }

export const fetchPreview = (jobId: string, step: number): Promise<RawPixels> =>
  fetchRaw(`/media/previews/${encodeURIComponent(jobId)}?step=${step}`)
export const fetchClassifiedFrames = (resultId: string): Promise<RawPixels> =>
  fetchRaw(`/media/frames/${encodeURIComponent(resultId)}`)

async function fetchRaw(url: string): Promise<RawPixels> {
  const response = await ask(url)
  const header: unknown = JSON.parse(response.headers.get(rawFramesHeader) ?? 'null')
  const sizes = rawFramesSchema.parse(header)
  const data = new Uint8Array(await response.arrayBuffer())
  if (data.length !== sizes.width * sizes.height * sizes.count * 3)
    throw new ProblemError('internal', `${url} gave ${data.length} bytes, which do not make the frames it announced.`)
  return { ...sizes, data }
}

export async function fetchBlob(url: string): Promise<Blob> {
  return (await ask(url)).blob()
}

/** Gives the host a whole file. @returns its upload id */
export async function uploadFile(file: Blob, name: string): Promise<string> {
  return uploadReplySchema.parse(await post('/media/uploads', name, file)).uploadId
}

/** Gives the host a picture or clip that runs are to read. */
export async function uploadInput(file: Blob, name: string): Promise<MediaRef> {
  return mediaRefSchema.parse(await post('/media/inputs', name, file))
}

/** Gives the host frames that were decoded here. @returns their upload id */
export async function uploadFrames(sizes: RawFrames, pixels: Blob, name: string): Promise<string> {
  const headers = { [rawFramesHeader]: JSON.stringify(sizes) }
  return uploadReplySchema.parse(await post('/media/frames', name, pixels, headers)).uploadId
}

async function post(path: string, name: string, body: Blob, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await ask(`${path}?name=${encodeURIComponent(name)}`, { method: 'POST', body, headers })
  return response.json()
}

async function ask(url: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init).catch((cause: unknown) => {
    throw new ProblemError('internal', 'The studio has lost its host. It is trying to connect again.', { cause })
  })
  if (response.ok) return response
  const parsed = problemSchema.safeParse(await response.json().catch(() => undefined))
  if (parsed.success) throw new ProblemError(parsed.data.code, parsed.data.message, parsed.data)
  throw new ProblemError(
    response.status === 404 ? 'not-found' : 'internal',
    `${url}: the host answered ${response.status}.`,
  )
}
