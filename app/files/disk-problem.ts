import { ProblemError } from '#app/contract/errors.ts'

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full. Free some space',
  EDQUOT: 'your quota of the disk is used up. Free some space',
  EIO: 'the disk reported an error. Check the disk',
  ENOENT: 'its folder does not exist. Make it, or choose another',
  EACCES: 'writing there is not allowed. Choose another folder',
  EPERM: 'writing there is not allowed. Choose another folder',
  EROFS: 'that disk can only be read. Choose another folder',
  EFBIG: 'it is larger than a file may be here. Raise the limit (ulimit -f), or choose another disk',
  EMFILE: 'this process has too many files open. Raise the limit (ulimit -n)',
  ENFILE: 'this machine has too many files open. Close some programs',
}

/** Why the disk refused, and what to do; undefined for an error that is none of the system's. */
export function diskReason(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('errno' in error || 'syscall' in error)) return undefined
  return reasons[(error as NodeJS.ErrnoException).code ?? ''] ?? `${error.message}. Check the disk`
}

/** An error of the system as `disk` that names the file; any other error as it is. */
export function diskProblem(error: unknown, file: string, what = 'could not be written'): unknown {
  const why = error instanceof ProblemError ? undefined : diskReason(error)
  return why === undefined ? error : new ProblemError('disk', `${file} ${what}: ${why}.`, { file, cause: error })
}
