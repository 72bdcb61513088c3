import {
  BlobSource,
  EncodedPacketSink,
  Input,
  MATROSKA,
  MP4,
  QTFF,
  VideoSampleSink,
  WEBM,
  type InputVideoTrack,
  type VideoSample,
} from 'mediabunny'
import { ProblemError } from '#app/contract/errors.ts'
import { maxMegapixels, megapixels, type RgbFrame } from '#app/media/frame.ts'
import { mediaKind } from '#app/media/media-kind.ts'
import { sampleToRgb } from './sample-to-rgb.ts'
import { allowBlobWorkers } from './trusted-workers.ts'

/** A video that this browser decodes. Frames stand upright. */
export type OpenVideo = {
  readonly frameCount: number
  readonly width: number
  readonly height: number
  readonly fps: number
  /**
   * One frame for each index, in the order asked and repeated where asked. Throws `bad-input` and `bad-media` problems,
   * and `cancelled`.
   */
  readonly frames: (indices: readonly number[], signal?: AbortSignal) => Promise<RgbFrame[]>
  /** The same one at a time, for rising indices without repetition: one frame in memory. */
  readonly each: (rising: readonly number[], signal?: AbortSignal) => AsyncGenerator<RgbFrame>
  /** Frees the file and the decoder. */
  readonly close: () => void
}

/**
 * Opens an MP4, MOV, WebM or MKV file with the browser's own decoders. `name` is for messages.
 * Throws `bad-media` for a damaged file, and `unsupported` where nothing wrong is known of it but the host has to
 * decode it: GIF, WebP, AVI, or a codec that this browser lacks.
 */
export async function openVideo(file: Blob, name = file instanceof File ? file.name : 'the file'): Promise<OpenVideo> {
  const bad = (why: string, cause?: unknown) =>
    new ProblemError('bad-media', `${name} cannot be used as a clip or picture: ${why}.`, { file: name, cause })
  if (file.size === 0) throw bad('it is empty')
  const kind = mediaKind(new Uint8Array(await file.slice(0, 4096).arrayBuffer()))
  if (kind !== 'isobmff' && kind !== 'matroska')
    throw new ProblemError('unsupported', `${name} is no MP4, MOV or WebM file: the page cannot read it.`, {
      file: name,
    })
  allowBlobWorkers()
  const input = new Input({ source: new BlobSource(file), formats: [MP4, QTFF, WEBM, MATROSKA] })
  try {
    // The first, as the host's ffmpeg and PyAV take it; mediabunny's "primary" one is chosen by bit rate and more.
    const [track] = await input.getVideoTracks()
    if (!track) throw bad('it has no video track')
    if (!(await track.canDecode()))
      throw new ProblemError(
        'unsupported',
        `${name}: this browser does not decode ${(await track.getCodec()) ?? 'its codec'}.`,
        {
          file: name,
        },
      )
    const size = { width: await track.getCodedWidth(), height: await track.getCodedHeight() }
    if (megapixels(size) > maxMegapixels)
      throw bad(`its frames are ${size.width}x${size.height}; at most ${maxMegapixels} megapixels are opened`)
    return await opened(input, track, bad)
  } catch (error) {
    input.dispose()
    throw error instanceof ProblemError ? error : bad(error instanceof Error ? error.message : String(error), error)
  }
}

async function opened(
  input: Input,
  track: InputVideoTrack,
  bad: (why: string, cause?: unknown) => ProblemError,
): Promise<OpenVideo> {
  const isVp8 = (await track.getCodec()) === 'vp8'
  const times = await frameTimes(track, isVp8)
  const frameCount = times.length
  if (frameCount === 0) throw bad('no frame of its video track can be decoded')
  async function* read(rising: readonly number[], signal?: AbortSignal): AsyncGenerator<RgbFrame> {
    const outside = rising.find((index) => !Number.isInteger(index) || index < 0 || index >= frameCount)
    if (outside !== undefined)
      throw new ProblemError('bad-input', `frame ${outside} was asked for; the clip has frames 0 to ${frameCount - 1}`)
    let found = 0
    // In software: hardware decoders may return pictures whose planes cannot be read.
    const sink = new VideoSampleSink(track, { hardwareAcceleration: 'prefer-software' })
    const colour = await track.getColorSpace()
    for await (const sample of samplesAt(sink, rising, times, isVp8)) {
      if (!sample) break
      let frame: RgbFrame
      try {
        if (signal?.aborted) throw new ProblemError('cancelled', 'cancelled')
        frame = await sampleToRgb(sample, colour)
      } finally {
        sample.close()
      }
      yield frame
      found++
    }
    if (found < rising.length) throw bad(`frame ${rising[found]} cannot be decoded`)
  }
  const each: OpenVideo['each'] = async function* (rising, signal) {
    try {
      yield* read(rising, signal)
    } catch (error) {
      throw error instanceof ProblemError ? error : bad(error instanceof Error ? error.message : String(error), error)
    }
  }
  const frames: OpenVideo['frames'] = async (indices, signal) => {
    const rising = [...new Set(indices)].sort((a, b) => a - b)
    const found = new Map<number, RgbFrame>()
    for await (const frame of each(rising, signal)) found.set(rising[found.size]!, frame)
    return indices.map((index) => found.get(index)!)
  }
  const [first] = await frames([0])
  return {
    frameCount,
    width: first!.width,
    height: first!.height,
    fps: framesPerSecond(times),
    frames,
    each,
    close: () => input.dispose(),
  }
}

/**
 * The samples of these rising indices; null for one that is missing. VP8's packets that show nothing make mediabunny
 * give later frames too early times, so those are counted through from the first.
 */
async function* samplesAt(
  sink: VideoSampleSink,
  rising: readonly number[],
  times: readonly number[],
  isVp8: boolean,
): AsyncGenerator<VideoSample | null> {
  if (!isVp8) return yield* sink.samplesAtTimestamps(rising.map((index) => times[index]!))
  let [index, next] = [0, 0]
  if (rising.length === 0) return
  for await (const sample of sink.samples()) {
    if (index++ !== rising[next]) sample.close()
    else {
      yield sample
      if (++next === rising.length) return
    }
  }
}

/** When each frame is shown, in order. What an edit list cuts off at the start has negative times. */
async function frameTimes(track: InputVideoTrack, isVp8: boolean): Promise<number[]> {
  const times: number[] = []
  for await (const packet of new EncodedPacketSink(track).packets(undefined, undefined, { metadataOnly: !isVp8 })) {
    // VP8 has packets that only prepare later frames; show_frame is bit 4 of the first byte (RFC 6386 section 9.1).
    if (!isVp8 || ((packet.data[0] ?? 0) & 0x10) !== 0) times.push(packet.timestamp)
  }
  times.sort((a, b) => a - b)
  const shown = times.filter((time) => time > -1e-6)
  return shown.length > 0 ? shown : times
}

// Matroska's times are whole milliseconds: a whole rate that they allow is what was meant.
function framesPerSecond(times: readonly number[]): number {
  const span = times.at(-1)! - times[0]!
  if (span <= 0) return 25
  const fps = (times.length - 1) / span
  const inMilliseconds = times.every((time) => Math.abs(time * 1000 - Math.round(time * 1000)) < 1e-6)
  const whole = Math.round(fps)
  const fits = inMilliseconds && whole > 0 && Math.abs((times.length - 1) / whole - span) <= 0.001
  return fits ? whole : Math.round(fps * 1000) / 1000
}
