import { Tabs } from '@base-ui/react/tabs'
import { viewIds, viewTable } from '#app/contract/views.ts'
import { CommandButton, CommandIconButton, useCommands } from '#renderer/parts/commands.tsx'
import { Mark } from '#renderer/parts/mark.tsx'
import { useView } from '#renderer/store/view.ts'
import { Tip } from '#renderer/ui/button.tsx'
import { Keys } from '#renderer/ui/keys.tsx'
import { EngineStatus } from './engine-status.tsx'

/** Must stand inside the views' Tabs.Root. */
export function TopBar() {
  const view = useView((state) => state.view)
  const commands = useCommands()
  const { palette } = commands
  return (
    <header className="top">
      <h1 className="top-name">
        <Mark size={20} />
        Frameloom
      </h1>
      <Tabs.List className="top-views" aria-label="View">
        {viewIds.map((id) => {
          const { name, key } = commands[`view-${id}`]
          return (
            <Tip key={id} text={name} shortcut={view === id ? undefined : key} side="bottom">
              <Tabs.Tab value={id} className="top-view">
                {viewTable[id].title}
              </Tabs.Tab>
            </Tip>
          )
        })}
        <Tabs.Indicator className="top-indicator" />
      </Tabs.List>
      <div className="top-end">
        <CommandButton command="palette" variant="ghost" className="top-search" iconSize={14}>
          {palette.label}
          {palette.key && <Keys shortcut={palette.key} />}
        </CommandButton>
        <EngineStatus />
        <CommandIconButton command="settings" />
      </div>
    </header>
  )
}
