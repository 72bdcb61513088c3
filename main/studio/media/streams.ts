import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'

/** A file, read as it is taken. */
export const fileStream = (file: string, start = 0): ReadableStream =>
  Readable.toWeb(createReadStream(file, { start })) as ReadableStream

/**
 * An async generator as a stream that is read as it is taken; its `finally` runs at the end and when the reader goes
 * away.
 */
export const generatedStream = (chunks: AsyncGenerator<Uint8Array>): ReadableStream =>
  Readable.toWeb(Readable.from(chunks, { objectMode: false })) as ReadableStream
