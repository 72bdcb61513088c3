import type { ComponentType } from 'react'
import type { Dialog } from '#renderer/store/view.ts'
import { AttentionEditor } from './attention/attention-editor.tsx'
import { Palette } from './palette/palette.tsx'
import { SettingsDialog } from './settings/settings-dialog.tsx'
import { TuningDialog } from './tuning/tuning-dialog.tsx'

/**
 * Every dialog of the studio. Each is there all the time and opens at its turn, so that it can also leave in its way.
 */
export const dialogs: Readonly<Record<Dialog['kind'], ComponentType>> = {
  palette: Palette,
  settings: SettingsDialog,
  attention: AttentionEditor,
  tuning: TuningDialog,
}
