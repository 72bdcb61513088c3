import {
  Dices,
  Download,
  FastForward,
  FolderOpen,
  Gauge,
  Grid2x2,
  ImagePlus,
  Info,
  Layers,
  Maximize,
  Moon,
  Play,
  Redo2,
  RefreshCw,
  Repeat,
  Rewind,
  RotateCcw,
  ScanSearch,
  Search,
  Settings,
  Sparkles,
  Square,
  StepBack,
  StepForward,
  Trash2,
  Undo2,
  ZoomIn,
  ZoomOut,
} from 'lucide-react'
import { commandIds, commandTable, type CommandId } from '#app/contract/commands.ts'
import { exportFormats, type ExportFormat, type PictureResult } from '#app/contract/results.ts'
import { viewIds, type ViewId } from '#app/contract/views.ts'
import { classifyClip } from '#renderer/actions/classify.ts'
import { changeFreeU } from '#renderer/actions/generate.ts'
import { makeSomethingOf, usesHere } from '#renderer/actions/inputs.ts'
import { cancellableJob, cancelJob, cancelJobs } from '#renderer/actions/jobs.ts'
import { restoreSettings } from '#renderer/actions/restore.ts'
import { deleteResult, exportChoices, exportPicture, type ExportChoice } from '#renderer/actions/library.ts'
import { refreshModels, restartEngine, saveSettings } from '#renderer/actions/settings.ts'
import type { Command, Commands } from '#renderer/parts/commands.tsx'
import { draftStore, rollSeed } from '#renderer/store/draft.ts'
import { canRedo, canUndo, redoDraft, replaceDraft, undoDraft } from '#renderer/store/draft-history.ts'
import { playerStore, shiftSpeed, shiftZoom, stepFrame, togglePlaying } from '#renderer/store/player.ts'
import { activeJobs, pictureById, studioStore } from '#renderer/store/studio.ts'
import { goTo, openDialog, viewStore } from '#renderer/store/view.ts'
import { views } from '#renderer/views/views.ts'

type Doing = Pick<Command, 'icon' | 'perform'> & Partial<Pick<Command, 'available'>>

const shownClip = (): PictureResult | undefined => {
  const { places, view } = viewStore.getState()
  const { shown } = places[view]
  return shown?.kind === 'result' ? pictureById(studioStore.getState(), shown.id) : undefined
}

/** Acts on the clip on show, and is there only while one is. */
const onClip = (act: (clip: PictureResult) => void): Pick<Command, 'available' | 'perform'> => ({
  available: () => shownClip() !== undefined,
  perform: () => {
    const clip = shownClip()
    if (clip) act(clip)
  },
})

const viewDoings = Object.fromEntries(
  viewIds.map((id): [string, Doing] => [`view-${id}`, { icon: views[id].icon, perform: () => goTo(id) }]),
) as Record<`view-${ViewId}`, Doing>

const exportDoings = Object.fromEntries(
  exportFormats.map((format): [string, Doing] => [
    `export-${format}`,
    {
      icon: Download,
      available: () => choiceFor(format) !== undefined,
      perform: () => {
        const [clip, choice] = [shownClip(), choiceFor(format)]
        if (clip && choice) void exportPicture(clip, choice)
      },
    },
  ]),
) as Record<`export-${ExportFormat}`, Doing>

function choiceFor(format: ExportFormat): ExportChoice | undefined {
  const clip = shownClip()
  return clip && exportChoices(clip).find((choice) => choice.format === format)
}

const doings: Readonly<Record<CommandId, Doing>> = {
  ...viewDoings,
  run: { icon: Sparkles, perform: () => void views[viewStore.getState().view].run() },
  cancel: {
    icon: Square,
    available: () => cancellableJob() !== undefined,
    perform: () => {
      const job = cancellableJob()
      if (job) void cancelJob(job)
    },
  },
  'cancel-all': {
    icon: Square,
    available: () => cancellableJob() !== undefined,
    perform: () => void cancelJobs(activeJobs(studioStore.getState())),
  },
  undo: { icon: Undo2, available: () => canUndo(), perform: undoDraft },
  redo: { icon: Redo2, available: () => canRedo(), perform: redoDraft },
  palette: { icon: Search, perform: () => openDialog({ kind: 'palette' }) },
  play: { icon: Play, perform: togglePlaying },
  back: { icon: StepBack, perform: () => stepFrame(-1) },
  forward: { icon: StepForward, perform: () => stepFrame(1) },
  loop: { icon: Repeat, perform: () => playerStore.setState(({ loop }) => ({ loop: !loop })) },
  slower: { icon: Rewind, perform: () => shiftSpeed(-1) },
  faster: { icon: FastForward, perform: () => shiftSpeed(1) },
  'zoom-fit': { icon: Maximize, perform: () => playerStore.setState({ zoom: 'fit' }) },
  'zoom-in': { icon: ZoomIn, perform: () => shiftZoom(1) },
  'zoom-out': { icon: ZoomOut, perform: () => shiftZoom(-1) },
  pixels: { icon: Grid2x2, perform: () => playerStore.setState(({ smooth }) => ({ smooth: !smooth })) },
  roll: { icon: Dices, perform: () => replaceDraft({ ...draftStore.getState(), seed: rollSeed() }) },
  freeu: { icon: Sparkles, perform: () => changeFreeU({ freeuOn: !draftStore.getState().freeuOn }) },
  attention: { icon: Layers, perform: () => openDialog({ kind: 'attention' }) },
  tuning: { icon: Gauge, perform: () => openDialog({ kind: 'tuning' }) },
  reuse: { icon: RotateCcw, ...onClip(restoreSettings) },
  use: {
    icon: ImagePlus,
    available: () => {
      const clip = shownClip()
      return clip !== undefined && usesHere(clip).length > 0
    },
    perform: () => {
      const clip = shownClip()
      if (clip) void makeSomethingOf(clip)
    },
  },
  ...exportDoings,
  'classify-clip': { icon: ScanSearch, ...onClip((clip) => void classifyClip(clip.id)) },
  delete: { icon: Trash2, ...onClip((clip) => void deleteResult(clip)) },
  settings: { icon: Settings, perform: () => openDialog({ kind: 'settings', tab: 'appearance' }) },
  folders: { icon: FolderOpen, perform: () => openDialog({ kind: 'settings', tab: 'models' }) },
  refresh: { icon: RefreshCw, perform: () => void refreshModels() },
  theme: { icon: Moon, perform: () => void saveSettings({ theme: isDark() ? 'light' : 'dark' }) },
  restart: { icon: RefreshCw, perform: () => void restartEngine() },
  about: { icon: Info, perform: () => openDialog({ kind: 'settings', tab: 'about' }) },
}

const isDark = (): boolean => document.documentElement.dataset['theme'] === 'dark'

/** Buttons, menus, keys and the palette read this one table. */
export const commands = Object.fromEntries(
  commandIds.map((id): [CommandId, Command] => [id, { available: () => true, ...doings[id], ...commandTable[id], id }]),
) as Commands

/** While a dialog or a list is open it has the keys and the menus to itself. */
export const isBusy = (): boolean =>
  viewStore.getState().dialog !== null || document.querySelector('.popup[data-open]') !== null

/** Performs a command that a key or a menu asks for. @returns false where it is not for now */
export function performCommand(id: CommandId): boolean {
  const { available, perform } = commands[id]
  if (isBusy() || !available()) return false
  perform()
  return true
}
