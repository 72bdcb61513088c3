import { ORPCError, ValidationError } from '@orpc/server'
import { diskReason } from '#app/files/disk-problem.ts'
import { ProblemError, toProblem, type Problem } from '#app/contract/errors.ts'

/** Any error as the Problem that a page may see: no stack, no cause. */
export function pageProblem(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem
  if (error instanceof ORPCError && error.cause instanceof ValidationError) {
    const [issue] = error.cause.issues
    const path = issue?.path?.map((part) => String(typeof part === 'object' ? part.key : part))
    // The page knows the fields of the settings, not where in a call they stand.
    const field = path?.slice(path.indexOf('settings') + 1).join('.')
    const message = `${field ? `${field}: ` : ''}${issue?.message ?? 'This request cannot be used.'}`
    return { code: error.code === 'BAD_REQUEST' ? 'bad-input' : 'internal', message, ...(field ? { field } : {}) }
  }
  const why = diskReason(error)
  if (why !== undefined) return { code: 'disk', message: `A file could not be read or written: ${why}.` }
  const { message } = toProblem(error)
  return { code: 'internal', message: `Something went wrong inside Frameloom: ${message}` }
}

export const rpcError = (error: unknown): ORPCError<'PROBLEM', Problem> => {
  const data = pageProblem(error)
  return new ORPCError('PROBLEM', { message: data.message, data })
}
