import { InvalidArgumentError } from 'commander'
import { schedulerConfigSchema, schedulerKeys, type SchedulerChanges } from '#app/contract/schedulers.ts'
import { freeUPresets, type ForwardChunking, type FrameSampling, type FreeU } from '#app/contract/settings.ts'

/** Strict parsers of option values: what commander hands over as text, or an InvalidArgumentError in plain words. */

const fail = (message: string): never => {
  throw new InvalidArgumentError(message)
}

const decimal = /^-?(\d+\.?\d*|\.\d+)$/

/** A plain decimal number: no hexadecimal, no exponent, nothing behind it. */
export const number =
  (min: number, max: number) =>
  (text: string): number => {
    const value = decimal.test(text) ? Number(text) : NaN
    return value >= min && value <= max ? value : fail(`It must be a number from ${min} to ${max}.`)
  }

export const integer =
  (min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN
    return value >= min && value <= max ? value : fail(`It must be a whole number from ${min} to ${max}.`)
  }

/** Whole numbers with commas between them. */
export const timesteps = (text: string): number[] => text.split(',').map((part) => integer(0)(part.trim()))

const side = integer(8, 4096)

export function size(text: string): { width: number; height: number } {
  const [, width, height] =
    /^(\d+)[xX×](\d+)$/.exec(text) ?? fail('It must be WIDTHxHEIGHT in pixels, such as 512x512.')
  return { width: side(width!), height: side(height!) }
}

const anySide = integer(1, 65_536)

/** A size that a model is only told of. */
export function toldSize(text: string): { width: number; height: number } {
  const [, width, height] =
    /^(\d+)[xX×](\d+)$/.exec(text) ?? fail('It must be WIDTHxHEIGHT in pixels, such as 1024x1024.')
  return { width: anySide(width!), height: anySide(height!) }
}

/** LEFT,TOP in pixels. */
export function crop(text: string): { left: number; top: number } {
  const [, left, top] = /^(\d+),(\d+)$/.exec(text) ?? fail('It must be LEFT,TOP in pixels, such as 0,0.')
  const place = integer(0, 65_536)
  return { left: place(left!), top: place(top!) }
}

const plain = (name: string): string => name.toLowerCase().replaceAll(/[\s_-]/g, '')
const factor = number(0, 4)

/** s1,s2,b1,b2, or the name of a preset ("SD 1.5", "sd1.5"), or "off". */
export function freeU(text: string): FreeU | null {
  if (plain(text) === 'off') return null
  const preset = freeUPresets.find(({ name }) => plain(name) === plain(text))
  if (preset) return { ...preset.freeu }
  const factors = text.split(',').map((part) => part.trim())
  if (factors.length !== 4) {
    const names = freeUPresets.map(({ name }) => `"${name}"`).join(', ')
    return fail(`It must be four factors s1,s2,b1,b2 such as 0.9,0.2,1.5,1.6, or one of ${names}, or off.`)
  }
  const [s1, s2, b1, b2] = factors.map((part) => factor(part))
  return { s1: s1!, s2: s2!, b1: b1!, b2: b2! }
}

/** SIZE or SIZE,DIM. */
export function chunking(text: string): ForwardChunking {
  const [, chunkSize, dim = '0'] =
    /^(\d+)(?:,([01]))?$/.exec(text) ?? fail('It must be SIZE or SIZE,DIM, where DIM is 0 (batch) or 1 (sequence).')
  return { chunkSize: integer(1)(chunkSize!), dim: dim === '1' ? 1 : 0 }
}

/** The side of a tile, or off. */
export function tileSize(text: string): number | null {
  if (text === 'off') return null
  const size = integer(64, 4096)(text)
  return size % 32 === 0 ? size : fail('It must be a multiple of 32, or off.')
}

const units = { MB: 1e6, GB: 1e9, MIB: 2 ** 20, GIB: 2 ** 30 }

/** 2GB, 800MB, 1.5GiB. */
export function bytes(text: string): number {
  const [, value, unit] = /^([\d.]+)\s*([MG]i?B)$/i.exec(text) ?? fail('It must be a size such as 2GB or 800MB.')
  return number(0.001, 1e6)(value!) * units[unit!.toUpperCase() as keyof typeof units]
}

const scale = number(-10, 10)

/** A LoRA's id, name or file, and its scale behind a colon. */
export function lora(text: string): { wanted: string; scale: number } {
  const [, wanted, factor] = /^(.+):(-?[\d.]+)$/.exec(text) ?? []
  if (wanted !== undefined && factor !== undefined) return { wanted, scale: scale(factor) }
  return text === '' ? fail('It must be a LoRA: an id or a file.') : { wanted: text, scale: 1 }
}

const weight = number(-10, 10)

/** A text, or a file, of a mix, and its weight behind a colon; 1 without it. */
export function mixed(text: string): { what: string; weight: number } {
  const [, what, factor] = /^(.+):(-?[\d.]+)$/s.exec(text) ?? []
  if (what !== undefined && factor !== undefined) return { what, weight: weight(factor) }
  return text === '' ? fail('It must be a text or a file.') : { what: text, weight: 1 }
}

/** even, rate:N, or windows:N. */
export function sampling(text: string): FrameSampling {
  if (text === 'even') return { kind: 'even' }
  const [, kind, value] =
    /^(rate|windows):(.+)$/.exec(text) ??
    fail(
      'It must be even (over the whole clip), rate:N (every Nth frame of one piece), or windows:N (N pieces, averaged).',
    )
  return kind === 'rate'
    ? { kind, frameSampleRate: number(0.01, 1000)(value!) }
    : { kind: 'windows', count: integer(2, 32)(value!) }
}

/** KEY=VALUE,KEY=VALUE: keys of scheduler_config.json. Given again, it adds to what was given before. */
export function schedulerConfig(text: string, before: SchedulerChanges = {}): SchedulerChanges {
  const given = text.split(',').map((pair) => {
    const [, key, value] =
      /^\s*(\w+)\s*=\s*(\S+)\s*$/.exec(pair) ?? fail(`It must be KEY=VALUE,KEY=VALUE, not “${pair}”.`)
    if (!schedulerKeys.some((known) => known === key))
      fail(`A key must be one of ${schedulerKeys.join(', ')}, not ${key}.`)
    return [key!, configValue(value!)] as const
  })
  const { data, error } = schedulerConfigSchema.safeParse({ ...before, ...Object.fromEntries(given) })
  const wrong = error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
  return data ?? fail(`Values must be as scheduler_config.json has them. ${wrong}`)
}

function configValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  return decimal.test(text) ? Number(text) : text
}
