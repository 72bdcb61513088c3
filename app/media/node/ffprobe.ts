import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import type { YuvMatrix } from '../color.ts'
import { maxMegapixels, megapixels } from '../frame.ts'
import { Damage } from './damage.ts'
import type { FfmpegPrograms } from './find-ffmpeg.ts'
import { plainReason } from './plain-reason.ts'
import { outputOf, ProgramFailed } from './run-program.ts'

/** A file as both programs are given it. `demuxer` where its content says which, whatever ffmpeg would guess. */
export type VideoFile = {
  readonly path: string
  readonly demuxer?: 'mov' | 'apng'
  /** How many frames it says it has, where ffmpeg does not read that. */
  readonly promised?: number
}

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
  /** What ffmpeg is told before the file. */
  readonly inputOptions: readonly string[]
  /** What is wrong with the file, in words. */
  readonly notes: readonly string[]
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

/** Of the limit: a decoder counts what it pads a picture with, too. */
const maxPixels = String(Math.round(maxMegapixels * 1.1e6))

/** What both programs are told of the input: one local file, no network, no picture above the limit. */
export const inputArgs = ({ path, demuxer }: VideoFile, options: readonly string[]): string[] => [
  ...['-protocol_whitelist', 'file', '-format_whitelist', containers, '-max_pixels', maxPixels],
  ...(demuxer === 'apng' ? ['-f', 'apng'] : []),
  ...[...options, '-i', `file:${path}`],
]

/** A program is given up when it shows no sign of work for so long. */
export const idleMs = 120_000

/** Each thread holds a picture more: together no more than 20 megapixels. */
const decodeThreads = (size: { width: number; height: number }): string[] => [
  '-threads',
  String(Math.max(1, Math.min(availableParallelism(), Math.floor(20 / megapixels(size))))),
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
        nb_frames: z.coerce.number().catch(0),
        nb_read_packets: z.coerce.number().default(0),
        side_data_list: z.array(z.object({ rotation: z.number().optional() })).default([]),
        tags: z
          .object({
            rotate: z.coerce.number().optional().catch(undefined),
            alpha_mode: z.string().optional(),
            DURATION: z.string().optional(),
          })
          .default({}),
      }),
    )
    .default([]),
  format: z.object({ nb_streams: z.number().default(0), duration: z.coerce.number().catch(0) }).optional(),
})
type Probed = z.infer<typeof probed>
type Track = Probed['streams'][number]

const matrices: Record<string, YuvMatrix> = {
  bt709: 'bt709',
  bt2020nc: 'bt2020',
  bt2020c: 'bt2020',
  smpte240m: 'smpte240m',
  fcc: 'fcc',
}

/**
 * Size, colour, rate and exact number of frames of a file's first video track, and what is wrong with it.
 * Throws `bad-media` problems that name the file: not a video, no picture track, too large, nothing decodable.
 */
export async function probeVideo(programs: FfmpegPrograms, file: VideoFile, signal?: AbortSignal): Promise<VideoInfo> {
  const { path } = file
  const packets = new Damage()
  const probe = async (options: readonly string[]): Promise<Probed> => {
    const wanted = ['-count_packets', '-show_streams', '-show_format']
    return probed.parse(await ffprobe(programs, file, wanted, ['-threads', '1', ...options], packets.hear, signal))
  }
  const found = await probe([])
  const stream = found.streams[0]
  if (!stream) throw badMedia(path, 'it has no video track')
  const { width, height } = stream
  if (width < 1 || height < 1) throw badMedia(path, 'its video track has no size')
  if (megapixels(stream) > maxMegapixels)
    throw badMedia(path, `its frames are ${width}x${height}; at most ${maxMegapixels} megapixels are opened`)

  const decoder = stream.tags.alpha_mode === '1' ? await alphaDecoder(programs, stream.codec_name) : undefined
  const threads = decodeThreads(stream)
  const framePackets = onePacketAFrame.includes(stream.codec_name) ? stream.nb_read_packets : 0
  const counted = framePackets > countByDecodingUpTo ? undefined : await countFrames(programs, file, threads, signal)
  const { frameCount, damage } = counted ?? { frameCount: framePackets, damage: packets }
  if (frameCount < 1) throw badMedia(path, `no frame of its video track (${stream.codec_name}) can be decoded`)
  // Both are counter-clockwise turns of the camera, but the old tag has the other sign.
  const turned = stream.side_data_list.find(({ rotation }) => rotation !== undefined)?.rotation
  return {
    frameCount,
    width,
    height,
    fps: fpsOf(stream),
    pixelFormat: decoder ? 'yuva420p' : stream.pix_fmt,
    // Untagged is BT.601, as swscale and so PyAV take it.
    matrix: matrices[stream.color_space ?? ''] ?? 'bt601',
    fullRange: stream.pix_fmt.startsWith('yuvj') || stream.color_range === 'pc',
    rotation: turned === undefined ? (stream.tags.rotate ?? 0) : -turned,
    inputOptions: [...threads, ...(decoder ? ['-c:v', decoder] : [])],
    notes: damage.notes(frameCount, await promisedFrames(stream)),
  }

  /**
   * How many frames the file says it has, where some are missing. What an edit list leaves out is counted in MP4's
   * number but not among the packets: only where these are fewer without the list, too, are they not there.
   */
  async function promisedFrames(track: Track): Promise<number> {
    const { nb_read_packets: there } = track
    const said = file.promised ?? track.nb_frames
    if (said > there) {
      if (file.demuxer !== 'mov') return said
      const all = await probe(['-ignore_editlist', '1'])
      if ((all.streams[0]?.nb_read_packets ?? said) < said) return said
    }
    // Matroska has no such number: its length tells where it is heard to end early.
    if (damage.endsEarly && said === 0) return Math.round(lengthOf(found) * fpsOf(track))
    return damage.heard ? said || framePackets : 0
  }
}

const fpsOf = (stream: Track): number => ratio(stream.avg_frame_rate) || ratio(stream.r_frame_rate) || 25

/** Seconds that the track's own tag says, or the file where it has but one track. */
function lengthOf({ streams, format }: Probed): number {
  const tag = /^(\d+):(\d+):([\d.]+)$/.exec(streams[0]?.tags.DURATION ?? '')
  if (tag) return Number(tag[1]) * 3600 + Number(tag[2]) * 60 + Number(tag[3])
  return format?.nb_streams === 1 ? format.duration : 0
}

/** ffmpeg's own decoders of VP8 and VP9 leave transparency out; libvpx's, where it is built in, do not. */
async function alphaDecoder({ ffmpeg }: FfmpegPrograms, codec: string): Promise<string | undefined> {
  const name = { vp8: 'libvpx', vp9: 'libvpx-vp9' }[codec]
  const list = await outputOf(ffmpeg, ['-hide_banner', '-v', 'error', '-decoders'], { idleMs })
  return name && new RegExp(` ${name} `).test(list.toString('utf8')) ? name : undefined
}

/** Undefined where that takes too long. */
async function countFrames(
  programs: FfmpegPrograms,
  file: VideoFile,
  options: readonly string[],
  signal: AbortSignal | undefined,
): Promise<{ frameCount: number; damage: Damage } | undefined> {
  const damage = new Damage()
  const wanted = ['-count_frames', '-show_entries', 'stream=nb_read_frames']
  try {
    const streams = z
      .object({ streams: z.array(z.object({ nb_read_frames: z.coerce.number().catch(0) })) })
      .parse(await ffprobe(programs, file, wanted, options, damage.hear, signal))
    return { frameCount: streams.streams[0]?.nb_read_frames ?? 0, damage }
  } catch (error) {
    const tookLong = error instanceof ProblemError && error.cause instanceof ProgramFailed && error.cause.tookLong
    if (tookLong) return undefined
    throw error
  }
}

async function ffprobe(
  { ffprobe }: FfmpegPrograms,
  file: VideoFile,
  wanted: readonly string[],
  options: readonly string[],
  onSaid: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  // V: video tracks, but not the cover pictures of audio files
  const args = ['-v', 'repeat+error', '-select_streams', 'V:0', ...wanted, '-of', 'json', ...inputArgs(file, options)]
  try {
    return JSON.parse((await outputOf(ffprobe, args, { signal, idleMs, onSaid })).toString('utf8'))
  } catch (error) {
    if (error instanceof ProgramFailed) throw badMedia(file.path, plainReason(error.stderr), error)
    throw error
  }
}

export const badMedia = (file: string, why: string, cause?: unknown): ProblemError =>
  new ProblemError('bad-media', `${file} cannot be used as a clip or picture: ${why}.`, { file, cause })

function ratio(text: string): number {
  const [over = 0, under = 0] = text.split('/').map(Number)
  return under > 0 && over > 0 ? over / under : 0
}
