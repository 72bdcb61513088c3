import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { ProblemError } from '#app/contract/errors.ts'
import { hostExportFormats } from '#app/contract/results.ts'
import { isId } from '#app/library/ids.ts'
import type { Library } from '#app/library/library.ts'
import { mediaType } from '#app/media/media-kind.ts'
import type { Log } from '../log.ts'
import type { Previews } from '../previews.ts'
import { pageProblem } from '../rpc-errors.ts'
import type { StudioEngine } from '../studio-engine.ts'
import { exportClip } from './export-clip.ts'
import { bytesResponse, framesHeader, problemResponse, rawType } from './responses.ts'
import { fileStream } from './streams.ts'
import { receiveInput, receiveUpload } from './upload.ts'

export type MediaTools = { library: Library; engine: StudioEngine; previews: Previews; log: Log }

type Route = {
  method: 'GET' | 'POST'
  path: RegExp
  answer: (tools: MediaTools, request: Request, id: string, format: string) => Promise<Response>
}

const notFound = (): never => {
  throw new ProblemError('not-found', 'There is nothing here any more.')
}

async function inputResponse(library: Library, sha256: string): Promise<Response> {
  const file = library.inputs.file(sha256) ?? notFound()
  const handle = await open(file, 'r')
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(4096), 0, 4096, 0)
    return bytesResponse(fileStream(file), statSync(file).size, mediaType(buffer.subarray(0, bytesRead)))
  } finally {
    await handle.close()
  }
}

const exportPath = new RegExp(`^/media/clips/([^/]+)/export\\.(${hostExportFormats.join('|')})$`)

/** What media-routes.ts lists. An id is checked by its form before anything is asked with it. */
const routes: Route[] = [
  {
    method: 'GET',
    path: /^\/media\/clips\/([^/]+)\.webp$/,
    answer: async ({ library }, _request, id) => {
      const file = library.pictureFile(library.picture(id).id)
      const { size } = statSync(file, { throwIfNoEntry: false }) ?? notFound()
      return bytesResponse(fileStream(file), size, 'image/webp')
    },
  },
  {
    method: 'GET',
    path: /^\/media\/embeddings\/([^/]+)\.safetensors$/,
    answer: async ({ library }, _request, id) => {
      const file = library.embeddingFile(library.embedding(id).id)
      const { size } = statSync(file, { throwIfNoEntry: false }) ?? notFound()
      return bytesResponse(fileStream(file), size, 'application/octet-stream')
    },
  },
  {
    method: 'GET',
    path: exportPath,
    answer: ({ library, engine }, request, id, format) =>
      exportClip(library, engine, id, format as (typeof hostExportFormats)[number], request.signal),
  },
  {
    method: 'GET',
    path: /^\/media\/previews\/([^/]+)$/,
    answer: async ({ previews }, _request, id) => {
      const { data, ...size } = previews.get(id) ?? notFound()
      return bytesResponse(data as Uint8Array<ArrayBuffer>, data.byteLength, rawType, framesHeader(size))
    },
  },
  {
    method: 'GET',
    path: /^\/media\/frames\/([^/]+)$/,
    answer: async ({ library }, _request, id) => {
      const { file, pixelsAt, ...size } = (await library.frames(id)) ?? notFound()
      const length = size.width * size.height * size.count * 3
      return bytesResponse(fileStream(file, pixelsAt), length, rawType, framesHeader(size))
    },
  },
  {
    method: 'POST',
    path: /^\/media\/uploads()$/,
    answer: ({ library }, request) => receiveUpload(library, request, false),
  },
  {
    method: 'POST',
    path: /^\/media\/inputs()$/,
    answer: ({ library }, request) => receiveInput(library, request),
  },
  {
    method: 'GET',
    path: /^\/media\/inputs\/()([0-9a-f]{64})$/,
    answer: ({ library }, _request, _id, sha256) => inputResponse(library, sha256),
  },
  {
    method: 'POST',
    path: /^\/media\/frames()$/,
    answer: ({ library }, request) => receiveUpload(library, request, true),
  },
]

export const createMediaHandler =
  (tools: MediaTools) =>
  async (request: Request): Promise<Response> => {
    try {
      // The path as it was sent, never decoded: an id has no character that needs it.
      const { pathname } = new URL(request.url)
      for (const { method, path, answer } of routes) {
        const match = request.method === method ? path.exec(pathname) : null
        if (!match) continue
        const [, id = '', format = ''] = match
        return id === '' || isId(id) ? await answer(tools, request, id, format) : notFound()
      }
      return notFound()
    } catch (error) {
      const problem = pageProblem(error)
      if (problem.code === 'internal') tools.log.error({ error }, 'media request failed')
      return problemResponse(problem)
    }
  }
