import { saveSettings } from '#renderer/actions/settings.ts'
import { setNotify, useNotify, type Notify } from '#renderer/store/notify.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { Row } from '#renderer/ui/row.tsx'
import { Segmented } from '#renderer/ui/segmented.tsx'
import { Switch } from '#renderer/ui/switch.tsx'

const themes = [
  { value: 'system', label: 'As the system' },
  { value: 'dark', label: 'Dark' },
  { value: 'light', label: 'Light' },
] as const

const notes: Readonly<Record<Notify, string>> = {
  on: 'The system tells when something is done or has failed while this page is hidden.',
  off: 'For the system to tell when something is done or has failed while this page is hidden.',
  denied: 'Notifications of this page are blocked: allow them in the browser first.',
  impossible: 'There are no notifications here.',
}

export function AppearanceTab() {
  const theme = useStudio((state) => state.settings?.theme ?? null)
  const notify = useNotify()
  return (
    <>
      <h2>Appearance</h2>
      <Row label="Theme">
        <Segmented
          label="Theme"
          value={theme}
          choices={themes}
          onChange={(value) => void saveSettings({ theme: value })}
        />
      </Row>
      <Row label="Notify when done" note={notes[notify]}>
        <Switch
          label="Notify when done"
          checked={notify === 'on'}
          disabled={notify === 'impossible'}
          onChange={(on) => void setNotify(on)}
        />
      </Row>
    </>
  )
}
