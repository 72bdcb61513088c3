import { Tabs } from '@base-ui/react/tabs'
import { Search, Settings } from 'lucide-react'
import { setView, useView, type View } from '#renderer/store/view.ts'
import { Button, IconButton, Tip } from '#renderer/ui/button.tsx'
import { Keys } from '#renderer/ui/keys.tsx'
import { shortcutOf } from './commands.ts'
import { EngineStatus } from './engine-status.tsx'
import { Mark } from '#renderer/parts/mark.tsx'

const views: readonly { value: View; label: string }[] = [
  { value: 'generate', label: 'Generate' },
  { value: 'classify', label: 'Classify' },
]

/** Must stand inside the views' Tabs.Root. */
export function TopBar() {
  const view = useView((state) => state.view)
  return (
    <header className="top">
      <h1 className="top-name">
        <Mark size={20} />
        Frameloom
      </h1>
      <Tabs.List className="top-views" activateOnFocus aria-label="View">
        {views.map(({ value, label }) => (
          <Tip
            key={value}
            text={`Go to ${label}`}
            shortcut={view === value ? undefined : shortcutOf(value)}
            side="bottom"
          >
            <Tabs.Tab value={value} className="top-view">
              {label}
            </Tabs.Tab>
          </Tip>
        ))}
        <Tabs.Indicator className="top-indicator" />
      </Tabs.List>
      <div className="top-end">
        <Button variant="ghost" className="top-search" onClick={() => setView({ paletteOpen: true })}>
          <Search size={14} aria-hidden="true" />
          Commands
          <Keys shortcut="Ctrl+K" />
        </Button>
        <EngineStatus />
        <IconButton
          label="Settings"
          shortcut={shortcutOf('settings')}
          onClick={() => setView({ settingsOpen: 'appearance' })}
        >
          <Settings size={15} aria-hidden="true" />
        </IconButton>
      </div>
    </header>
  )
}
