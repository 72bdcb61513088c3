import { maxMegapixels } from '../frame.ts'

/** Why ffmpeg refuses a file, from what it said at its end, in plain words and with what to do. */
export function plainReason(stderr: string): string {
  const known = reasons.find(([said]) => said.test(stderr))
  return known?.[1] ?? `ffmpeg cannot read it (${lastWords(stderr)}). ${convert}`
}

const convert = 'If another program shows it, save it as PNG, MP4 or WebM'

const slow = 'Cut out the part that is to be looked at, or make it smaller'

const reasons: readonly (readonly [RegExp, string])[] = [
  [
    /not on whitelist/i,
    `it is no picture or video of a kind that is opened here (PNG, JPEG, WebP, GIF, MP4, WebM and others). ${convert}`,
  ],
  [
    /moov atom not found/,
    'it is cut short, or no video at all: the index of an MP4 file is missing. Copy or download it again',
  ],
  [/EBML header parsing failed|End of file/, 'it is cut short, or no video at all. Copy or download it again'],
  [/Invalid data found/, `it is damaged, or no picture or video at all. ${convert}`],
  [/(decoder|codec).*not found|unknown decoder/i, `the ffmpeg of this machine has no decoder for it. ${convert}`],
  [
    /Picture size \d+x\d+ is invalid|Picture size \d+x\d+ exceeds/,
    `its frames are larger than ${maxMegapixels} megapixels, the most that is opened. Make it smaller`,
  ],
  [/^no progress in/, `no frame of it came within two minutes. ${slow}`],
  [/^not done after/, `it takes more than five minutes to read. ${slow}`],
  [/permission denied/i, 'it may not be read. Give this user the right to read it'],
]

/** The most telling of ffmpeg's lines, without its addresses and the file's own name. */
export function lastWords(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^\[[^\]]*\]\s*/, '').trim())
  const telling = lines.filter((line) => line !== '' && !/^(file:)?\/|^Error opening input/.test(line))
  return telling.at(-1) ?? lines.at(-1)?.replace(/^.*: /, '') ?? 'no reason given'
}
