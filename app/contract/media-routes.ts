import { z } from 'zod'

/**
 * Pixels and files travel by these routes: `/media/...` of the serve host, `studio://app/media/...` in Electron.
 * Everything is named by id. Raw pixels are RGB24 rows, frame after frame, top row first.
 *
 *   GET  /media/clips/ID.webp              the clip as the library keeps it (lossless animated WebP, recipe inside)
 *   GET  /media/clips/ID/export.FORMAT     gif, webp, or png (a zip of frames)
 *   GET  /media/embeddings/ID.safetensors  an embedding of the library
 *   GET  /media/previews/JOB?step=N        the newest preview of a running job: raw pixels, size in the headers
 *   GET  /media/frames/RESULT              the frames a classification used: raw pixels, size in the headers
 *   POST /media/uploads?name=FILE          a whole clip -> { uploadId }
 *   POST /media/inputs?name=FILE           a picture or clip that runs are to read -> { sha256, name }
 *   GET  /media/inputs/SHA256              the same file again
 *   POST /media/frames?name=FILE           frames that the page decoded (a rawFramesHeader beside them) -> { uploadId }
 */
export const rawFramesHeader = 'x-frameloom-frames'

/** Sent as JSON in the `x-frameloom-frames` header beside raw pixels. */
export const rawFramesSchema = z.object({
  width: z.int().min(1),
  height: z.int().min(1),
  /** Frames in the body, all of one size. */
  count: z.int().min(1),
  /** Index of each frame in the clip, where they were picked from one; one window after the other. */
  indices: z.array(z.int().min(0)).optional(),
  /** Frames in the whole clip. */
  frameCount: z.int().min(1).optional(),
})
export type RawFrames = z.infer<typeof rawFramesSchema>

export const uploadReplySchema = z.object({ uploadId: z.string() })

/** Uploads larger than this are refused before they are read, in bytes. */
export const uploadLimit = 2 * 1024 ** 3
