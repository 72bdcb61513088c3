import type { Problem } from '#app/contract/errors.ts'

export const exitCodes = { ok: 0, failed: 1, usage: 2, badModel: 3, badMedia: 4, cancelled: 130 } as const

export const exitCodesHelp = `Exit codes:
  0    done
  1    it failed
  2    the command line is wrong: an unknown option, a value out of its range
  3    a model is unknown or cannot be used
  4    a clip cannot be read
  130  cancelled with Ctrl+C`

/** What a program that called us is told about a problem. */
export function exitCodeOf({ code, field }: Problem): number {
  switch (code) {
    case 'bad-input':
      return exitCodes.usage
    case 'bad-model':
      return exitCodes.badModel
    case 'not-found':
      if (field === 'name') return exitCodes.usage
      return ['model', 'motionAdapter', 'loras', 'attnProcessor'].includes(field ?? '')
        ? exitCodes.badModel
        : exitCodes.badMedia
    case 'bad-media':
      return exitCodes.badMedia
    case 'cancelled':
      return exitCodes.cancelled
    default:
      return exitCodes.failed
  }
}
