import { ProblemError } from '#app/contract/errors.ts'
import { rawFramesHeader, rawFramesSchema, uploadLimit, type RawFrames } from '#app/contract/media-routes.ts'
import type { Library } from '#app/library/library.ts'
import { parseJson } from '#app/library/rows.ts'
import { jsonResponse, problemResponse } from './responses.ts'

/** Takes a clip, or with `withFrames` the frames that the page decoded, to disk as it comes. */
export async function receiveUpload(library: Library, request: Request, withFrames: boolean): Promise<Response> {
  const name = new URL(request.url).searchParams.get('name') ?? 'clip'
  const announced = Number(request.headers.get('content-length') ?? 0)
  if (!(announced <= uploadLimit)) {
    const message = `The file is larger than ${uploadLimit / 2 ** 20} MiB, the most that is taken.`
    return problemResponse({ code: 'bad-media', message }, 413)
  }
  if (!request.body) throw new ProblemError('bad-media', 'The upload is empty.')
  const frames = withFrames ? { frames: framesOf(request) } : {}
  const body = request.body as unknown as AsyncIterable<Uint8Array>
  const upload = await library.uploads.receive({ name, body, limit: uploadLimit, ...frames })
  return jsonResponse({ uploadId: upload.id })
}

function framesOf(request: Request): RawFrames {
  const parsed = parseJson(rawFramesSchema, request.headers.get(rawFramesHeader))
  if (!parsed.ok) throw new ProblemError('bad-input', `The header ${rawFramesHeader} cannot be used: ${parsed.reason}.`)
  return parsed.value
}
