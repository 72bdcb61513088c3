import { ascii } from './bytes.ts'

/** What a file is by its first bytes; `video` is anything that only a video decoder may know. */
export type MediaKind = 'png' | 'jpeg' | 'gif' | 'webp' | 'isobmff' | 'matroska' | 'avi' | 'video'

/**
 * Judged by content, never by name; 12 bytes are enough. Whether a PNG moves is not told: what says so may come after
 * any amount of text.
 */
export function mediaKind(bytes: Uint8Array): MediaKind {
  const text = (at: number, length: number) => ascii(bytes, at, length)
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'png'
  if (text(0, 3) === '\xff\xd8\xff') return 'jpeg'
  if (text(0, 6) === 'GIF87a' || text(0, 6) === 'GIF89a') return 'gif'
  if (text(0, 4) === 'RIFF' && text(8, 4) === 'WEBP') return 'webp'
  if (text(0, 4) === 'RIFF' && text(8, 4) === 'AVI ') return 'avi'
  if (['ftyp', 'moov', 'mdat', 'wide', 'free', 'skip'].includes(text(4, 4))) return 'isobmff'
  if (text(0, 4) === '\x1aE\xdf\xa3') return 'matroska'
  return 'video'
}

const types: Partial<Record<MediaKind, string>> = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  isobmff: 'video/mp4',
  matroska: 'video/webm',
}

/** The media type by which a browser shows such a file. */
export const mediaType = (bytes: Uint8Array): string => types[mediaKind(bytes)] ?? 'application/octet-stream'
