import { CSPProvider } from '@base-ui/react/csp-provider'
import { Tabs } from '@base-ui/react/tabs'
import { Tooltip } from '@base-ui/react/tooltip'
import { useEffect } from 'react'
import { startClock } from '#renderer/store/player.ts'
import { setView, useView, type View } from '#renderer/store/view.ts'
import { AttentionEditor } from '#renderer/dialogs/attention/attention-editor.tsx'
import { DeleteDialog } from '#renderer/dialogs/delete/delete-dialog.tsx'
import { SettingsDialog } from '#renderer/dialogs/settings/settings-dialog.tsx'
import { TuningDialog } from '#renderer/dialogs/tuning/tuning-dialog.tsx'
import { Toaster } from '#renderer/parts/toaster.tsx'
import { Banners } from './banners.tsx'
import { DropOverlay } from './drop-overlay.tsx'
import { listenForShortcuts } from './keyboard.ts'
import { Palette } from '#renderer/dialogs/palette/palette.tsx'
import { TopBar } from './top-bar.tsx'
import { Workspace } from './workspace.tsx'
import './shell.css'

export function App() {
  const view = useView((state) => state.view)
  useEffect(() => startClock(), [])
  useEffect(() => listenForShortcuts(), [])
  return (
    // The content security policy takes no inline styles; the stylesheet has what they would say.
    <CSPProvider disableStyleElements>
      <Tooltip.Provider delay={500}>
        <Tabs.Root
          className="app"
          data-view={view}
          value={view}
          onValueChange={(next: View) => setView({ view: next })}
        >
          <TopBar />
          <Banners />
          <Workspace />
        </Tabs.Root>
        <Palette />
        <SettingsDialog />
        <AttentionEditor />
        <TuningDialog />
        <DeleteDialog />
        <DropOverlay />
        <Toaster />
      </Tooltip.Provider>
    </CSPProvider>
  )
}
