import { commandIds, commandTable } from '#app/contract/commands.ts'
import { performCommand } from './commands.ts'

/** A key press in the form that the command table uses, such as "Ctrl+Enter". */
export function pressed(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>): string {
  const key = event.key === ' ' ? 'Space' : event.key.length === 1 ? event.key.toUpperCase() : event.key
  const withCtrl = event.ctrlKey || event.metaKey
  // Alone, Shift is a part of the character.
  return `${withCtrl ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}${withCtrl && event.shiftKey ? 'Shift+' : ''}${key}`
}

/** Controls that have their own use for a key: what is typed, chosen or moved there stays there. */
function ownsKey(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false
  // The text was put there by the form, so it is the form's to undo: the field has nothing typed.
  if (key === 'Ctrl+Z' && target.matches('[data-untouched]')) return false
  // In the form nobody means the clip on the stage.
  if (key === 'Delete' && target.closest('form')) return true
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

/** One listener for every key of the table. @returns a function that removes it */
export function listenForKeys(): () => void {
  const onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return
    const key = pressed(event)
    const id = commandIds.find((candidate) => commandTable[candidate].key === key)
    if (!id || (!commandTable[id].inFields && ownsKey(event.target, key))) return
    if (performCommand(id)) event.preventDefault()
  }
  document.addEventListener('keydown', onKey)
  return () => document.removeEventListener('keydown', onKey)
}
