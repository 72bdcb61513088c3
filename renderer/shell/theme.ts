import { keep, readKept } from '#renderer/store/kept.ts'
import { studioStore } from '#renderer/store/studio.ts'

const storageKey = 'frameloom.theme'

/** Sets the theme on the page, from this browser's memory until the host has told the setting. */
export function followTheme(): void {
  const light = window.matchMedia('(prefers-color-scheme: light)')
  const apply = (): void => {
    const theme = studioStore.getState().settings?.theme ?? remembered()
    const shown = theme === 'system' ? (light.matches ? 'light' : 'dark') : theme
    document.documentElement.dataset['theme'] = shown
    keep(storageKey, theme)
  }
  apply()
  light.addEventListener('change', apply)
  studioStore.subscribe((state, before) => {
    if (state.settings?.theme !== before.settings?.theme) apply()
  })
}

function remembered(): 'system' | 'dark' | 'light' {
  const stored = readKept(storageKey)
  return stored === 'dark' || stored === 'light' ? stored : 'system'
}
