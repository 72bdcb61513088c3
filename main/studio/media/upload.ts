import { ProblemError } from '#app/contract/errors.ts'
import { rawFramesHeader, rawFramesSchema, uploadLimit, type RawFrames } from '#app/contract/media-routes.ts'
import type { Library } from '#app/library/library.ts'
import { parseJson } from '#app/library/rows.ts'
import { jsonResponse, problemResponse } from './responses.ts'

/** Takes a clip, or with `withFrames` the frames that the page decoded, to disk as it comes. */
export function receiveUpload(library: Library, request: Request, withFrames: boolean): Promise<Response> {
  return receive(request, async (file) => {
    const frames = withFrames ? { frames: framesOf(request) } : {}
    const upload = await library.uploads.receive({ ...file, ...frames })
    return { uploadId: upload.id }
  })
}

/** Takes a picture or clip that runs are to read, in the same way. */
export const receiveInput = (library: Library, request: Request): Promise<Response> =>
  receive(request, (file) => library.inputs.receive(file))

type Incoming = { name: string; body: AsyncIterable<Uint8Array>; limit: number }

async function receive(request: Request, keep: (file: Incoming) => Promise<unknown>): Promise<Response> {
  const name = new URL(request.url).searchParams.get('name') ?? 'clip'
  const announced = Number(request.headers.get('content-length') ?? 0)
  if (!(announced <= uploadLimit)) {
    const message = `The file is larger than ${uploadLimit / 2 ** 20} MiB, the most that is taken.`
    return problemResponse({ code: 'bad-media', message }, 413)
  }
  if (!request.body) throw new ProblemError('bad-media', 'The upload is empty.')
  const body = request.body as unknown as AsyncIterable<Uint8Array>
  return jsonResponse(await keep({ name, body, limit: uploadLimit }))
}

function framesOf(request: Request): RawFrames {
  const parsed = parseJson(rawFramesSchema, request.headers.get(rawFramesHeader))
  if (!parsed.ok) throw new ProblemError('bad-input', `The header ${rawFramesHeader} cannot be used: ${parsed.reason}.`)
  return parsed.value
}
