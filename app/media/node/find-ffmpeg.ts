import { access, constants, stat } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { ProblemError } from '#app/contract/errors.ts'

/** The user's own programs, by absolute path. None is shipped: their codecs are GPL code. */
export type FfmpegPrograms = { readonly ffmpeg: string; readonly ffprobe: string }

/**
 * Finds ffmpeg and ffprobe in FRAMELOOM_FFMPEG (a folder, or the ffmpeg program with ffprobe beside it), else on PATH.
 * Throws an `unsupported` problem that says which is missing and how to get it.
 */
export async function findFfmpeg(env: NodeJS.ProcessEnv = process.env): Promise<FfmpegPrograms> {
  const named = env.FRAMELOOM_FFMPEG
  const folders = named
    ? [(await isFolder(named)) ? named : resolve(named, '..')]
    : (env.PATH ?? env.Path ?? '').split(delimiter).filter((folder) => folder !== '')
  const where = named ? `in FRAMELOOM_FFMPEG (${named})` : 'on PATH'
  const ffmpeg = named && !(await isFolder(named)) ? await runnable(resolve(named)) : await inFolders(folders, 'ffmpeg')
  const ffprobe = await inFolders(folders, 'ffprobe')
  if (!ffmpeg || !ffprobe)
    throw new ProblemError(
      'unsupported',
      `${ffmpeg ? 'ffprobe' : 'ffmpeg'} was not found ${where}: install it (https://ffmpeg.org/download.html, or your system's ` +
        'package "ffmpeg"), or set FRAMELOOM_FFMPEG to the folder that holds ffmpeg and ffprobe',
    )
  return { ffmpeg, ffprobe }
}

async function inFolders(folders: readonly string[], name: string): Promise<string | undefined> {
  for (const folder of folders) {
    const found = await runnable(join(resolve(folder), process.platform === 'win32' ? `${name}.exe` : name))
    if (found) return found
  }
  return undefined
}

async function runnable(file: string): Promise<string | undefined> {
  try {
    await access(file, constants.X_OK)
    return (await stat(file)).isFile() ? file : undefined
  } catch {
    return undefined
  }
}

const isFolder = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
