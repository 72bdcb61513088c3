import type { EmbeddingResult, ExportFormat, PictureResult, Result } from '#app/contract/results.ts'
import { viewOfResult } from '#app/contract/views.ts'
import { clipUrl, exportUrl, fetchBlob, fetchClassifiedFrames } from '#renderer/bridge/media.ts'
import { encodeVideo } from '#renderer/media/encode.ts'
import { dropFrames, framesOf, loadFrames, type FrameSet } from '#renderer/store/frames.ts'
import { callHost } from '#renderer/store/host.ts'
import { decodeAnimation, imagesOfRaw, rgbOfImage } from '#renderer/store/pixels.ts'
import { studioStore } from '#renderer/store/studio.ts'
import { tell, tellFailure } from '#renderer/store/toasts.ts'
import { forget } from '#renderer/store/view.ts'

const loadClip = async (id: string): Promise<FrameSet> => decodeAnimation(await fetchBlob(clipUrl(id)))
export const showClip = (id: string): void => loadFrames(`clip:${id}`, () => loadClip(id))
export const showClassified = (id: string): void =>
  loadFrames(`classified:${id}`, async () => {
    const raw = await fetchClassifiedFrames(id)
    return { width: raw.width, height: raw.height, images: imagesOfRaw(raw) }
  })

export type ExportChoice = { format: ExportFormat; label: string; detail: string; ending: string }

/** What a clip or a still can be saved as. */
const choicesFor: Readonly<Record<PictureResult['kind'], readonly ExportChoice[]>> = {
  clip: [
    { format: 'mp4', label: 'MP4', detail: 'H.264, plays everywhere', ending: 'mp4' },
    { format: 'webm', label: 'WebM', detail: 'VP9, smaller', ending: 'webm' },
    { format: 'gif', label: 'GIF', detail: '256 colours, loops', ending: 'gif' },
    { format: 'webp', label: 'WebP', detail: 'animated, lossless', ending: 'webp' },
    { format: 'png', label: 'PNG frames', detail: 'a zip, lossless', ending: 'zip' },
  ],
  still: [
    { format: 'png', label: 'PNG', detail: 'lossless', ending: 'png' },
    { format: 'webp', label: 'WebP', detail: 'lossless, smaller', ending: 'webp' },
  ],
}
export const exportChoices = ({ kind }: Pick<PictureResult, 'kind'>): readonly ExportChoice[] => choicesFor[kind]

/**
 * Saves a clip or a still to the user's downloads, its recipe inside. MP4 and WebM are encoded here, the others by the
 * host.
 */
export async function exportPicture(clip: PictureResult, { format, label, ending }: ExportChoice): Promise<void> {
  try {
    const blob =
      format === 'mp4' || format === 'webm'
        ? await encodeVideo(
            (framesOf(`clip:${clip.id}`) ?? (await loadClip(clip.id))).images.map(rgbOfImage),
            clip.fps,
            format,
            JSON.stringify(clip.recipe),
          )
        : await fetchBlob(exportUrl(clip.id, format))
    const name = `${fileStem(clip)}.${ending}`
    saveFile(blob, name)
    tell('success', `${label} saved`, name)
  } catch (error) {
    tellFailure(`${label} could not be made`, error)
  }
}

/** Into the user's downloads. */
export function saveFile(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The download has its own hold on the data once it has started.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

export const shortTitle = (title: string): string => (title.length > 60 ? `${title.slice(0, 57).trimEnd()}…` : title)

/** A file name that every system takes: the prompt's first words and the seed. */
export function fileStem(clip: Pick<PictureResult | EmbeddingResult, 'title' | 'recipe'>): string {
  const words = (
    clip.title
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? ['clip']
  ).join('-')
  const short = [...words].slice(0, 48).join('').replace(/-+$/, '')
  return `${short}-${clip.recipe.settings.seed}`
}

/** Puts a result into the host's bin; the stage goes on to the one beside it. */
export async function deleteResult({ id, kind, title }: Result): Promise<void> {
  const next = neighbour(id, studioStore.getState().results)
  try {
    await callHost((host) => host.deleteResult({ id }))
    dropFrames(`clip:${id}`)
    forget(id, next && { kind: 'result', id: next.id })
    tell('info', `${kind[0]!.toUpperCase()}${kind.slice(1)} deleted`, `“${shortTitle(title)}”`, {
      label: 'Undo',
      perform: () => void restoreResult(id),
    })
  } catch (error) {
    tellFailure('It could not be deleted', error)
  }
}

async function restoreResult(id: string): Promise<void> {
  try {
    await callHost((host) => host.restoreResult({ id }))
  } catch (error) {
    tellFailure('It could not be brought back', error)
  }
}

/** Of those in the same view the next one, else the one before. */
export function neighbour(id: string, results: readonly Result[]): Result | undefined {
  const own = results.find((result) => result.id === id)
  const beside = results.filter(({ kind }) => own && viewOfResult(kind) === viewOfResult(own.kind))
  const at = beside.findIndex((result) => result.id === id)
  return beside[at + 1] ?? beside[at - 1]
}

const thumbnailSide = 128

/** The first frame of a clip, small. */
export const showThumbnail = (id: string): void =>
  loadFrames(`thumbnail:${id}`, async () => {
    const { images, width, height } = await decodeAnimation(await fetchBlob(clipUrl(id)), 1)
    const scale = Math.min(1, thumbnailSide / Math.min(width, height))
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)]
    const context = new OffscreenCanvas(w, h).getContext('2d')!
    context.drawImage(await createImageBitmap(images[0]!), 0, 0, w, h)
    return { width: w, height: h, images: [context.getImageData(0, 0, w, h)] }
  })
