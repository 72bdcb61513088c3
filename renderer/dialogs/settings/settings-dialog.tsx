import { Dialog } from '@base-ui/react/dialog'
import { Tabs } from '@base-ui/react/tabs'
import { X } from 'lucide-react'
import { setView, useView, type ViewState } from '#renderer/store/view.ts'
import { Button } from '#renderer/ui/button.tsx'
import { Popups } from '#renderer/ui/popups.ts'
import { AboutTab } from './about-tab.tsx'
import { AppearanceTab } from './appearance-tab.tsx'
import { EngineTab } from './engine-tab.tsx'
import { ModelsTab } from './models-tab.tsx'
import './settings.css'

const tabs = [
  { value: 'appearance', label: 'Appearance', Panel: AppearanceTab },
  { value: 'engine', label: 'Engine', Panel: EngineTab },
  { value: 'models', label: 'Models', Panel: ModelsTab },
  { value: 'about', label: 'About', Panel: AboutTab },
] as const satisfies readonly {
  value: Exclude<ViewState['settingsOpen'], false>
  label: string
  Panel: () => React.ReactNode
}[]

export function SettingsDialog() {
  const open = useView((state) => state.settingsOpen)
  return (
    <Dialog.Root open={open !== false} onOpenChange={(next) => !next && setView({ settingsOpen: false })}>
      <Dialog.Portal>
        <Dialog.Backdrop className="scrim" />
        <Dialog.Viewport className="dialog-viewport">
          <Dialog.Popup className="dialog settings">
            <Tabs.Root
              className="settings-tabs"
              orientation="vertical"
              value={open || 'appearance'}
              onValueChange={(value: (typeof tabs)[number]['value']) => setView({ settingsOpen: value })}
            >
              <div className="settings-side">
                <Dialog.Title>Settings</Dialog.Title>
                <Tabs.List className="settings-list" activateOnFocus>
                  {tabs.map(({ value, label }) => (
                    <Tabs.Tab key={value} value={value} className="settings-tab">
                      {label}
                    </Tabs.Tab>
                  ))}
                </Tabs.List>
              </div>
              {tabs.map(({ value, Panel }) => (
                <Tabs.Panel key={value} value={value} className="settings-panel scroll">
                  <Popups value={undefined}>
                    <Panel />
                  </Popups>
                </Tabs.Panel>
              ))}
            </Tabs.Root>
            <Dialog.Close
              render={<Button data-icon="" variant="ghost" className="settings-close" aria-label="Close settings" />}
            >
              <X size={15} aria-hidden="true" />
            </Dialog.Close>
          </Dialog.Popup>
        </Dialog.Viewport>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
