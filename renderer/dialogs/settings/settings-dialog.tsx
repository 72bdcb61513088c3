import { Dialog } from '@base-ui/react/dialog'
import { Tabs } from '@base-ui/react/tabs'
import { X } from 'lucide-react'
import type { ComponentType } from 'react'
import { closeDialog, openDialog, useDialog, type SettingsTab } from '#renderer/store/view.ts'
import { Button } from '#renderer/ui/button.tsx'
import { Modal } from '#renderer/ui/modal.tsx'
import { AboutTab } from './about-tab.tsx'
import { AppearanceTab } from './appearance-tab.tsx'
import { EngineTab } from './engine-tab.tsx'
import { ModelsTab } from './models-tab.tsx'
import './settings.css'

const tabs: readonly { value: SettingsTab; label: string; Panel: ComponentType }[] = [
  { value: 'appearance', label: 'Appearance', Panel: AppearanceTab },
  { value: 'engine', label: 'Engine', Panel: EngineTab },
  { value: 'models', label: 'Models', Panel: ModelsTab },
  { value: 'about', label: 'About', Panel: AboutTab },
]

export function SettingsDialog() {
  const dialog = useDialog('settings')
  return (
    <Modal open={dialog !== null} onClose={closeDialog} className="settings">
      <Tabs.Root
        className="settings-tabs"
        orientation="vertical"
        value={dialog?.tab ?? 'appearance'}
        onValueChange={(tab: SettingsTab) => openDialog({ kind: 'settings', tab })}
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
            <Panel />
          </Tabs.Panel>
        ))}
      </Tabs.Root>
      <Dialog.Close
        render={<Button data-icon="" variant="ghost" className="settings-close" aria-label="Close settings" />}
      >
        <X size={15} aria-hidden="true" />
      </Dialog.Close>
    </Modal>
  )
}
