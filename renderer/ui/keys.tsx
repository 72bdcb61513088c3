const isMac = (): boolean => /Mac|iPhone|iPad/.test(navigator.userAgent)
const macNames: Record<string, string> = { Ctrl: '⌘', Shift: '⇧', Alt: '⌥', Enter: '↩' }
const names: Record<string, string> = { ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc', Space: 'Space', Delete: 'Del' }

/** A shortcut as this system writes it, from a form like "Ctrl+Enter". */
function shortcutText(shortcut: string): string {
  const mac = isMac()
  return shortcut
    .split('+')
    .map((key) => (mac ? macNames[key] : undefined) ?? names[key] ?? key)
    .join(mac ? '' : ' ')
}

export function Keys({ shortcut }: { shortcut: string }) {
  return (
    <kbd className="kbd" aria-hidden="true">
      {shortcutText(shortcut)}
    </kbd>
  )
}
