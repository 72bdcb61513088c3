import { CSPProvider } from '@base-ui/react/csp-provider'
import { Tabs } from '@base-ui/react/tabs'
import { Tooltip } from '@base-ui/react/tooltip'
import { useEffect } from 'react'
import type { ViewId } from '#app/contract/views.ts'
import { dialogs } from '#renderer/dialogs/dialogs.ts'
import { CommandsContext } from '#renderer/parts/commands.tsx'
import { Toaster } from '#renderer/parts/toaster.tsx'
import { useSaid } from '#renderer/store/said.ts'
import { startClock } from '#renderer/store/player.ts'
import { goTo, useView } from '#renderer/store/view.ts'
import { views } from '#renderer/views/views.ts'
import { Banners } from './banners.tsx'
import { commands } from './commands.ts'
import { DropOverlay } from './drop-overlay.tsx'
import { keepFocus } from './keep-focus.ts'
import { listenForKeys } from './keyboard.ts'
import { TopBar } from './top-bar.tsx'
import { Workspace } from './workspace.tsx'
import './shell.css'

/** Heard, not seen. */
const Said = () => (
  <p className="sr" role="status">
    {useSaid()}
  </p>
)

export function App() {
  const view = useView((state) => state.view)
  useEffect(() => startClock(), [])
  useEffect(() => listenForKeys(), [])
  useEffect(() => keepFocus(), [])
  return (
    // The content security policy takes no inline styles; the stylesheet has what they would say.
    <CSPProvider disableStyleElements>
      <CommandsContext value={commands}>
        <Tooltip.Provider delay={500}>
          <Tabs.Root
            className="app"
            data-accent={views[view].thread}
            value={view}
            onValueChange={(id: ViewId) => goTo(id)}
          >
            <TopBar />
            <Banners />
            <Workspace />
          </Tabs.Root>
          {Object.entries(dialogs).map(([kind, Dialog]) => (
            <Dialog key={kind} />
          ))}
          <DropOverlay />
          <Toaster />
          <Said />
        </Tooltip.Provider>
      </CommandsContext>
    </CSPProvider>
  )
}
