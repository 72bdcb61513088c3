import { Readable } from 'node:stream'
import type { OpenedStudio } from '#main/studio/open-studio.ts'
import { pageHeaders } from '#main/studio/page-headers.ts'
import type { PageFiles } from '#main/studio/page-files.ts'
import { isOwnUrl, pageUrl } from './origin.ts'

const words = (status: number, text: string): Response =>
  new Response(text, { status, headers: { ...pageHeaders, 'content-type': 'text/plain; charset=utf-8' } })

/** Answers studio://app/: the media routes and the built page's files. Only our own page may send anything. */
export const createPageProtocol =
  (studio: Pick<OpenedStudio, 'handleMedia'>, files: PageFiles) =>
  async (request: Request): Promise<Response> => {
    if (!isOwnUrl(request.url)) return words(403, 'This is not an address of Frameloom.')
    const origin = request.headers.get('origin')
    if (origin !== null && !isOwnUrl(origin)) return words(403, 'Frameloom answers only its own page.')
    const { pathname } = new URL(request.url, pageUrl)
    if (pathname.startsWith('/media/')) return studio.handleMedia(request)
    if (request.method !== 'GET') return words(405, 'Frameloom does not take this kind of request here.')
    const file = files.find(pathname)
    if (!file) return words(404, 'There is nothing here.')
    const headers = { ...pageHeaders, 'content-type': file.type, 'content-length': String(file.bytes) }
    return new Response(Readable.toWeb(file.stream()) as ReadableStream, { headers })
  }
