import {
  Clapperboard,
  Dices,
  FolderOpen,
  Gauge,
  Info,
  Layers,
  Moon,
  Palette,
  Play,
  RefreshCw,
  Repeat,
  RotateCcw,
  ScanSearch,
  Search,
  Settings,
  Sparkles,
  Square,
  StepBack,
  StepForward,
  Trash2,
  type LucideIcon,
} from 'lucide-react'
import { classify } from '#renderer/actions/classify.ts'
import { cancelJob, changeFreeU, generate } from '#renderer/actions/generate.ts'
import { restoreSettings } from '#renderer/actions/library.ts'
import { classifyClip } from '#renderer/actions/classify.ts'
import { refreshModels, restartEngine, saveSettings } from '#renderer/actions/settings.ts'
import { draftStore, editDraft, rollSeed } from '#renderer/store/draft.ts'
import { playerStore, stepFrame, togglePlaying } from '#renderer/store/player.ts'
import { activeJobs, clipById, studioStore } from '#renderer/store/studio.ts'
import { setView, viewStore } from '#renderer/store/view.ts'

export type Command = {
  id: string
  name: string
  icon: LucideIcon
  shortcut?: string
  /** Works while a text field has the focus too. */
  inFields?: boolean
  /** Left out of the palette and without effect when false. */
  available?: () => boolean
  perform: () => void
}

const shownClip = () => {
  const { stage, view } = viewStore.getState()
  return view === 'generate' && stage.kind === 'clip' ? clipById(studioStore.getState(), stage.id) : undefined
}
/** The job on show, or else the one under way. */
const cancellable = () => {
  const { stage } = viewStore.getState()
  const active = activeJobs(studioStore.getState())
  return active.find((job) => stage.kind === 'job' && job.id === stage.id) ?? active[0]
}

/** Keys and the palette read this one table. */
export const commands: readonly Command[] = [
  {
    id: 'run',
    name: 'Generate or classify',
    icon: Sparkles,
    shortcut: 'Ctrl+Enter',
    inFields: true,
    perform: () => void (viewStore.getState().view === 'generate' ? generate() : classify()),
  },
  {
    id: 'cancel',
    name: 'Cancel the running job',
    icon: Square,
    shortcut: 'Escape',
    inFields: true,
    available: () => !!cancellable(),
    perform: () => {
      const job = cancellable()
      if (job) void cancelJob(job.id)
    },
  },
  {
    id: 'palette',
    name: 'Search commands',
    icon: Search,
    shortcut: 'Ctrl+K',
    inFields: true,
    perform: () => setView({ paletteOpen: true }),
  },
  {
    id: 'generate',
    name: 'Go to Generate',
    icon: Clapperboard,
    shortcut: 'G',
    perform: () => setView({ view: 'generate' }),
  },
  {
    id: 'classify',
    name: 'Go to Classify',
    icon: ScanSearch,
    shortcut: 'C',
    perform: () => setView({ view: 'classify' }),
  },
  { id: 'play', name: 'Play or pause', icon: Play, shortcut: 'Space', perform: togglePlaying },
  { id: 'back', name: 'Previous frame', icon: StepBack, shortcut: 'ArrowLeft', perform: () => stepFrame(-1) },
  { id: 'forward', name: 'Next frame', icon: StepForward, shortcut: 'ArrowRight', perform: () => stepFrame(1) },
  {
    id: 'loop',
    name: 'Loop on or off',
    icon: Repeat,
    shortcut: 'L',
    perform: () => playerStore.setState(({ loop }) => ({ loop: !loop })),
  },
  {
    id: 'pixels',
    name: 'Hard or smooth pixels',
    icon: Palette,
    shortcut: 'P',
    perform: () => playerStore.setState(({ smooth }) => ({ smooth: !smooth })),
  },
  { id: 'roll', name: 'Roll a new seed', icon: Dices, shortcut: 'R', perform: () => editDraft({ seed: rollSeed() }) },
  {
    id: 'freeu',
    name: 'FreeU on or off',
    icon: Sparkles,
    shortcut: 'F',
    perform: () => changeFreeU({ freeuOn: !draftStore.getState().freeuOn }),
  },
  {
    id: 'attention',
    name: 'Attention by layer',
    icon: Layers,
    perform: () => setView({ attentionOpen: true }),
  },
  { id: 'tuning', name: 'Profile and tune', icon: Gauge, perform: () => setView({ tuningOpen: true }) },
  {
    id: 'reuse',
    name: 'Use the settings of this clip',
    icon: RotateCcw,
    shortcut: 'U',
    available: () => !!shownClip(),
    perform: () => {
      const clip = shownClip()
      if (clip) restoreSettings(clip)
    },
  },
  {
    id: 'classify-clip',
    name: 'Classify this clip',
    icon: ScanSearch,
    available: () => !!shownClip(),
    perform: () => {
      const clip = shownClip()
      if (clip) void classifyClip(clip.id)
    },
  },
  {
    id: 'delete',
    name: 'Delete this clip',
    icon: Trash2,
    shortcut: 'Delete',
    available: () => !!shownClip(),
    perform: () => setView({ deleting: shownClip()?.id ?? null }),
  },
  {
    id: 'settings',
    name: 'Settings',
    icon: Settings,
    shortcut: 'Ctrl+,',
    inFields: true,
    perform: () => setView({ settingsOpen: 'appearance' }),
  },
  { id: 'folders', name: 'Model folders', icon: FolderOpen, perform: () => setView({ settingsOpen: 'models' }) },
  { id: 'refresh', name: 'Search the model folders again', icon: RefreshCw, perform: () => void refreshModels() },
  {
    id: 'theme',
    name: 'Dark or light',
    icon: Moon,
    perform: () => void saveSettings({ theme: isDark() ? 'light' : 'dark' }),
  },
  { id: 'restart', name: 'Restart the engine', icon: RefreshCw, perform: () => void restartEngine() },
  { id: 'about', name: 'About Frameloom', icon: Info, perform: () => setView({ settingsOpen: 'about' }) },
]

const isDark = (): boolean => document.documentElement.dataset['theme'] === 'dark'

export const shortcutOf = (id: string): string | undefined => commands.find((command) => command.id === id)?.shortcut
