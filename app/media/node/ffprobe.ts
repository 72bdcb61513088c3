import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import type { YuvMatrix } from '../color.ts'
import { maxMegapixels, megapixels } from '../frame.ts'
import type { FfmpegPrograms } from './find-ffmpeg.ts'
import { plainReason } from './plain-reason.ts'
import { outputOf, ProgramFailed } from './run-program.ts'

export type VideoInfo = {
  /** Frames that come out of the decoder. */
  readonly frameCount: number
  /** As stored, before any turn; pixels are taken as square, as PyAV does. */
  readonly width: number
  readonly height: number
  readonly fps: number
  readonly pixelFormat: string
  readonly matrix: YuvMatrix
  readonly fullRange: boolean
  /** Degrees to turn clockwise so that the picture stands upright. */
  readonly rotation: number
}

/**
 * Above so many packets they are trusted to be frames where the codec has one frame a packet: decoding all would take
 * minutes.
 */
const countByDecodingUpTo = 5000
const onePacketAFrame = ['h264', 'hevc', 'vp9', 'av1', 'mjpeg', 'prores']

/** Real containers only: playlists would let a file make ffmpeg open others. */
const containers =
  'mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,flv,ogg,asf,mxf,nut,ivf,h264,hevc,obu,av1,dv,gif,apng,mjpeg,yuv4mpegpipe,3gp,webm,mp4,rm'

/** What both programs are told before the input: one local file, no network, no picture above the limit. */
export const inputArgs = (file: string): string[] => [
  ...['-protocol_whitelist', 'file', '-format_whitelist', containers],
  ...['-max_pixels', String(maxMegapixels * 1e6), '-i', `file:${file}`],
]

const probed = z.object({
  streams: z
    .array(
      z.object({
        codec_name: z.string().default('unknown'),
        width: z.number().int().default(0),
        height: z.number().int().default(0),
        pix_fmt: z.string().default('unknown'),
        color_range: z.string().optional(),
        color_space: z.string().optional(),
        avg_frame_rate: z.string().default('0/0'),
        r_frame_rate: z.string().default('0/0'),
        nb_read_packets: z.coerce.number().default(0),
        side_data_list: z.array(z.object({ rotation: z.number().optional() })).default([]),
        tags: z.object({ rotate: z.coerce.number().optional() }).default({}),
      }),
    )
    .default([]),
})

const matrices: Record<string, YuvMatrix> = {
  bt709: 'bt709',
  bt2020nc: 'bt2020',
  bt2020c: 'bt2020',
  smpte240m: 'smpte240m',
  fcc: 'fcc',
}

/**
 * Size, colour, rate and exact number of frames of a file's first video track.
 * Throws `bad-media` problems that name the file: not a video, no picture track, too large, nothing decodable.
 */
export async function probeVideo(programs: FfmpegPrograms, file: string, signal?: AbortSignal): Promise<VideoInfo> {
  const stream = probed.parse(await ffprobe(programs, file, ['-count_packets', '-show_streams'], signal)).streams[0]
  if (!stream) throw badMedia(file, 'it has no video track')
  const { width, height } = stream
  if (width < 1 || height < 1) throw badMedia(file, 'its video track has no size')
  if (megapixels(stream) > maxMegapixels)
    throw badMedia(file, `its frames are ${width}x${height}; at most ${maxMegapixels} megapixels are opened`)
  const trusted = stream.nb_read_packets > countByDecodingUpTo && onePacketAFrame.includes(stream.codec_name)
  const frameCount = trusted ? stream.nb_read_packets : await countFrames(programs, file, signal)
  if (frameCount < 1) throw badMedia(file, `no frame of its video track (${stream.codec_name}) can be decoded`)
  // Both are counter-clockwise turns of the camera, but the old tag has the other sign.
  const turned = stream.side_data_list.find(({ rotation }) => rotation !== undefined)?.rotation
  return {
    frameCount,
    width,
    height,
    fps: ratio(stream.avg_frame_rate) || ratio(stream.r_frame_rate) || 25,
    pixelFormat: stream.pix_fmt,
    // Untagged is BT.601, as swscale and so PyAV take it.
    matrix: matrices[stream.color_space ?? ''] ?? 'bt601',
    fullRange: stream.pix_fmt.startsWith('yuvj') || stream.color_range === 'pc',
    rotation: turned === undefined ? (stream.tags.rotate ?? 0) : -turned,
  }
}

async function countFrames(programs: FfmpegPrograms, file: string, signal?: AbortSignal): Promise<number> {
  const counted = await ffprobe(programs, file, ['-count_frames', '-show_entries', 'stream=nb_read_frames'], signal)
  const streams = z
    .object({ streams: z.array(z.object({ nb_read_frames: z.coerce.number().catch(0) })) })
    .parse(counted)
  return streams.streams[0]?.nb_read_frames ?? 0
}

async function ffprobe(
  { ffprobe }: FfmpegPrograms,
  file: string,
  wanted: readonly string[],
  signal?: AbortSignal,
): Promise<unknown> {
  // V: video tracks, but not the cover pictures of audio files
  const args = ['-v', 'error', '-threads', '0', '-select_streams', 'V:0', ...wanted, '-of', 'json', ...inputArgs(file)]
  try {
    return JSON.parse((await outputOf(ffprobe, args, { signal, idleMs: 120_000 })).toString('utf8'))
  } catch (error) {
    if (error instanceof ProgramFailed) throw badMedia(file, plainReason(error.stderr), error)
    throw error
  }
}

export const badMedia = (file: string, why: string, cause?: unknown): ProblemError =>
  new ProblemError('bad-media', `${file} cannot be used as a clip: ${why}.`, { file, cause })

function ratio(text: string): number {
  const [over = 0, under = 0] = text.split('/').map(Number)
  return under > 0 && over > 0 ? over / under : 0
}
