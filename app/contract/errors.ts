import { z } from 'zod'

/** What a failure was about: it decides where the studio shows it and which exit code the command line gives. */
export const errorCodes = [
  'bad-input', // a value the user can change: size, steps, prompt, clip
  'bad-model', // a checkpoint that cannot be used: file, key, config
  'bad-media', // a clip or image that cannot be read
  'unsupported', // valid, but this machine or build lacks something: codec, ffmpeg, provider
  'out-of-memory',
  'engine-lost', // the engine process ended while it worked
  'not-finite', // NaN or infinity in a weight (then with its file), or in what a model made
  'cancelled',
  'not-found',
  'disk',
  'internal',
] as const

export const problemSchema = z.object({
  code: z.enum(errorCodes),
  /** What happened, to which file or field, and what to do: shown to the user as it is. */
  message: z.string(),
  /** The request's field or the checkpoint's key that it is about. */
  field: z.string().optional(),
  file: z.string().optional(),
})
/** An error as data, as it crosses processes. */
export type Problem = z.infer<typeof problemSchema>

/**
 * An Error that keeps its Problem. Inside a process errors are thrown; at its edge they become data through
 * `toProblem`.
 */
export class ProblemError extends Error {
  readonly problem: Problem
  constructor(
    code: Problem['code'],
    message: string,
    more: Omit<Problem, 'code' | 'message'> & { cause?: unknown } = {},
  ) {
    const { cause, ...rest } = more
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ProblemError'
    this.problem = { code, message, ...rest }
  }
}

export function toProblem(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) }
}
