import { z } from 'zod'
import { exportFormats, type ExportFormat } from './results.ts'
import { viewIds, viewTable, type ViewId } from './views.ts'

export const commandMenus = ['File', 'Run', 'Clip', 'Player', 'View', 'Help'] as const

/** A command as keys, buttons, menus and the palette say it. What it does is in the page, under the same id. */
export type CommandRecord = {
  /** In menus and the palette. */
  name: string
  /** On a button, where the name would say too much. */
  label?: string
  /** Such as "Ctrl+Enter", "Space" or "G". Ctrl is Cmd on a Mac. */
  key?: string
  /** Its key works while a text field has the focus too. */
  inFields?: boolean
  /** The native menu that it stands in. */
  menu: (typeof commandMenus)[number]
}

const viewCommands = Object.fromEntries(
  viewIds.map((id) => {
    const { title, key } = viewTable[id]
    return [`view-${id}`, { name: `Go to ${title}`, key, menu: 'View' }]
  }),
) as Record<`view-${ViewId}`, CommandRecord>

/** As the page lists them for a clip; a still has fewer. */
const exportNames: Readonly<Record<ExportFormat, string>> = {
  mp4: 'MP4',
  webm: 'WebM',
  gif: 'GIF',
  webp: 'WebP',
  png: 'PNG',
}
const exportCommands = Object.fromEntries(
  exportFormats.map((format) => [`export-${format}`, { name: `Export as ${exportNames[format]}`, menu: 'Clip' }]),
) as Record<`export-${ExportFormat}`, CommandRecord>

/** In the order of the palette. */
const table = {
  run: { name: 'Generate or classify', key: 'Ctrl+Enter', inFields: true, menu: 'Run' },
  cancel: { name: 'Cancel the running job', key: 'Ctrl+.', inFields: true, menu: 'Run' },
  'cancel-all': { name: 'Cancel all jobs', menu: 'Run' },
  undo: { name: 'Undo the change of the form', key: 'Ctrl+Z', menu: 'Run' },
  redo: { name: 'Redo the change of the form', key: 'Ctrl+Shift+Z', menu: 'Run' },
  palette: { name: 'Search commands', label: 'Commands', key: 'Ctrl+K', inFields: true, menu: 'View' },
  ...viewCommands,
  play: { name: 'Play or pause', key: 'Space', menu: 'Player' },
  back: { name: 'Previous frame', key: 'ArrowLeft', menu: 'Player' },
  forward: { name: 'Next frame', key: 'ArrowRight', menu: 'Player' },
  loop: { name: 'Loop on or off', label: 'Loop', key: 'L', menu: 'Player' },
  slower: { name: 'Play at a lower speed', menu: 'Player' },
  faster: { name: 'Play at a higher speed', menu: 'Player' },
  'zoom-fit': { name: 'Zoom to fit', menu: 'Player' },
  'zoom-in': { name: 'Zoom in', menu: 'Player' },
  'zoom-out': { name: 'Zoom out', menu: 'Player' },
  pixels: { name: 'Hard or smooth pixels', label: 'Show hard pixels', key: 'P', menu: 'Player' },
  roll: { name: 'Roll a new seed', key: 'R', menu: 'Run' },
  freeu: { name: 'FreeU on or off', key: 'F', menu: 'Run' },
  attention: { name: 'Attention by layer', menu: 'Run' },
  tuning: { name: 'Profile and tune', label: 'Profile and tune…', menu: 'Run' },
  reuse: { name: 'Use the settings of this clip', label: 'Use these settings', key: 'U', menu: 'Clip' },
  use: { name: 'Make something of this clip or still', menu: 'Clip' },
  ...exportCommands,
  'classify-clip': { name: 'Classify this clip', label: 'Classify', menu: 'Clip' },
  delete: { name: 'Delete this clip', label: 'Delete clip', key: 'Delete', menu: 'Clip' },
  settings: { name: 'Settings', key: 'Ctrl+,', inFields: true, menu: 'File' },
  folders: { name: 'Model folders', label: 'Folders', menu: 'File' },
  refresh: { name: 'Search the model folders again', menu: 'File' },
  theme: { name: 'Dark or light', menu: 'View' },
  restart: { name: 'Restart the engine', menu: 'Run' },
  about: { name: 'About Frameloom', menu: 'Help' },
} as const satisfies Record<string, CommandRecord>

export type CommandId = keyof typeof table
export const commandTable: Readonly<Record<CommandId, CommandRecord>> = table
export const commandIds = Object.keys(table) as [CommandId, ...CommandId[]]
export const commandIdSchema = z.enum(commandIds)
