import { open, type FileHandle } from 'node:fs/promises'
import { ascii } from '../bytes.ts'
import type { MediaKind } from '../media-kind.ts'

export type PictureKind = Extract<MediaKind, 'png' | 'jpeg' | 'gif' | 'webp'>

/** How a picture file is laid out, without a pixel decoded: the decoders list all frames before they give the first. */
export type PictureStructure = {
  /** Frames that are there to their last byte; counting ends above `most`. */
  readonly frames: number
  /** How many frames a PNG that moves says it has: decoders of still pictures take it for one. */
  readonly promised?: number
  /** The bytes end before the file does. */
  readonly cut: boolean
}

/** The structure of a file that begins as one of `kind`; never throws for what its bytes are. */
export async function pictureStructure(file: string, kind: PictureKind, most: number): Promise<PictureStructure> {
  if (kind === 'jpeg') return still
  const handle = await open(file, 'r')
  try {
    return await walks[kind](new Cursor(handle, (await handle.stat()).size), most)
  } catch (error) {
    if (error instanceof RangeError) return { ...still, cut: true }
    throw error
  } finally {
    await handle.close()
  }
}

const still: PictureStructure = { frames: 1, cut: false }

type Walk = (file: Cursor, most: number) => Promise<PictureStructure>

const walks: Record<Exclude<PictureKind, 'jpeg'>, Walk> = {
  // GIF89a, sections 17 to 27: blocks of pieces of up to 255 bytes, and a trailer.
  async gif(file, most) {
    file.skip(10)
    file.skip(colourTable(await file.byte()) + 2)
    let frames = 0
    try {
      for (let mark = await file.byte(); mark !== 0x3b && frames <= most; mark = await file.byte()) {
        if (mark === 0x2c) {
          file.skip(8)
          file.skip(colourTable(await file.byte()) + 1)
        } else if (mark === 0x21) file.skip(1)
        else return { frames, cut: false } // as decoders have it: nothing more that is known
        for (let piece = await file.byte(); piece > 0; piece = await file.byte()) file.skip(piece)
        if (mark === 0x2c) frames++
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      return { frames, cut: true }
    }
    return { frames, cut: false }
  },

  // RFC 9649, sections 2.3 to 2.7: chunks of an even length within one that says how long the file is.
  async webp(file, most) {
    file.skip(4)
    const end = (await file.uint32(true)) + 8
    file.skip(4)
    let frames = 0
    while (file.at + 8 <= Math.min(end, file.size) && frames <= most) {
      const tag = await file.tag()
      const length = await file.uint32(true)
      if (file.at + length > file.size) break
      file.skip(Math.min(length + (length % 2), file.size - file.at))
      if (tag === 'ANMF') frames++
    }
    return { frames: Math.max(1, frames), cut: end > file.size + 1 }
  },

  // PNG 3rd edition, sections 5.3, 11.3.6: acTL comes anywhere before the first IDAT.
  async png(file, most) {
    file.skip(8)
    let [frames, promised, pixels] = [0, 0, false]
    const found = (cut: boolean): PictureStructure => (promised > 0 ? { frames, promised, cut } : still)
    while (file.at + 12 <= file.size && frames <= most) {
      const length = await file.uint32(false)
      const tag = await file.tag()
      if (file.at + length + 4 > file.size) return found(true)
      if (tag === 'IEND') return found(false)
      if (tag === 'IDAT') pixels = true
      if (pixels && promised === 0) return still
      if (tag === 'acTL' && length >= 4) {
        promised = await file.uint32(false)
        file.skip(length)
      } else file.skip(length + 4)
      if (tag === 'fcTL') frames++
    }
    return found(frames <= most)
  },
}

const colourTable = (flags: number): number => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0)

const window = 1 << 16

/** Reads forward through a file with a small part of it in memory. Throws RangeError at its end. */
class Cursor {
  at = 0
  readonly size: number
  private readonly handle: FileHandle
  private held = Buffer.alloc(0)
  private heldAt = 0

  constructor(handle: FileHandle, size: number) {
    this.handle = handle
    this.size = size
  }

  skip(bytes: number): void {
    if (this.at + bytes > this.size) throw new RangeError('the file ends')
    this.at += bytes
  }

  async byte(): Promise<number> {
    return (await this.take(1))[0]!
  }

  async tag(): Promise<string> {
    return ascii(await this.take(4), 0, 4)
  }

  async uint32(littleEndian: boolean): Promise<number> {
    const bytes = await this.take(4)
    return littleEndian ? bytes.readUInt32LE() : bytes.readUInt32BE()
  }

  private async take(count: number): Promise<Buffer> {
    const begin = this.at
    this.skip(count)
    if (begin < this.heldAt || begin + count > this.heldAt + this.held.length) {
      const { buffer, bytesRead } = await this.handle.read(Buffer.alloc(window), 0, window, begin)
      this.held = buffer.subarray(0, bytesRead)
      this.heldAt = begin
    }
    const from = begin - this.heldAt
    return this.held.subarray(from, from + count)
  }
}
