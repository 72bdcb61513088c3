import { viewStore } from '#renderer/store/view.ts'
import { commands, type Command } from './commands.ts'

/** A key press in the form that the command table uses, such as "Ctrl+Enter". */
export function pressed(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>): string {
  const key = event.key === ' ' ? 'Space' : event.key.length === 1 ? event.key.toUpperCase() : event.key
  return `${event.ctrlKey || event.metaKey ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}${key}`
}

/** Controls that have their own use for a key: what is typed, chosen or moved there stays there. */
function ownsKey(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.closest('input:not([type=range], [type=checkbox]), textarea, [contenteditable]')) return true
  if (key === 'Space' || key === 'Enter') {
    // A tab or tile that is on show already has nothing to do with them: they go on to the player.
    const own = target.closest('button, [role=button], [role=option], a')
    return own !== null && !own.matches('[role=tab], [aria-current=true]')
  }
  if (key.startsWith('Arrow'))
    return !!target.closest('[role=slider], input, [role=tablist], [role=radiogroup], .segmented, [role=separator]')
  return false
}

/** One listener for every shortcut of the table. @returns a function that removes it */
export function listenForShortcuts(): () => void {
  const onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return
    const key = pressed(event)
    const command = commands.find((entry) => entry.shortcut === key)
    if (!command || isBusy(command) || (!command.inFields && ownsKey(event.target, key))) return
    if (command.available?.() === false) return
    event.preventDefault()
    command.perform()
  }
  document.addEventListener('keydown', onKey)
  return () => document.removeEventListener('keydown', onKey)
}

/** While a dialog or a list is open the keys are its own. */
function isBusy(command: Command): boolean {
  const { settingsOpen, attentionOpen, tuningOpen, deleting, paletteOpen } = viewStore.getState()
  if (settingsOpen || attentionOpen || tuningOpen || deleting || paletteOpen) return command.id !== 'palette'
  return !!document.querySelector('.popup[data-open]')
}
