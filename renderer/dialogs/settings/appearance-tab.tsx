import { saveSettings } from '#renderer/actions/settings.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { Row } from '#renderer/ui/row.tsx'
import { Segmented } from '#renderer/ui/segmented.tsx'

const themes = [
  { value: 'system', label: 'As the system' },
  { value: 'dark', label: 'Dark' },
  { value: 'light', label: 'Light' },
] as const

export function AppearanceTab() {
  const theme = useStudio((state) => state.settings?.theme ?? null)
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
    </>
  )
}
