import type { MenuItemConstructorOptions } from 'electron'
import { commandIds, commandMenus, commandTable, type CommandId } from '#app/contract/commands.ts'

type Roles = readonly NonNullable<MenuItemConstructorOptions['role']>[]
type Where = { isMac: boolean; isPackaged: boolean }

/** The page's commands by menu, and what the platform's own shortcuts need. `perform` is told which one was chosen. */
export function menuTemplate(
  perform: (id: CommandId) => void,
  { isMac, isPackaged }: Where,
): MenuItemConstructorOptions[] {
  const own: Partial<Record<(typeof commandMenus)[number], Roles>> = {
    File: isMac ? [] : ['quit'],
    View: [
      'resetZoom',
      'zoomIn',
      'zoomOut',
      'togglefullscreen',
      ...(isPackaged ? [] : (['toggleDevTools', 'reload'] as const)),
    ],
  }
  const menus = commandMenus.map((label): MenuItemConstructorOptions => {
    const commands = commandIds
      .filter((id) => commandTable[id].menu === label)
      .map((id): MenuItemConstructorOptions => {
        const { name, key } = commandTable[id]
        return { id, label: name, click: () => perform(id), ...acceleratorOf(key) }
      })
    const roles = (own[label] ?? []).map((role): MenuItemConstructorOptions => ({ role }))
    return { label, submenu: [...commands, ...(roles.length > 0 ? [{ type: 'separator' as const }] : []), ...roles] }
  })
  const [file, ...others] = menus
  return [
    ...(isMac ? [{ role: 'appMenu' } as const] : []),
    file!,
    { role: 'editMenu' },
    ...others,
    { role: 'windowMenu' },
  ]
}

/**
 * Shown, but heard by the page, which knows what has the focus. A key without Ctrl is not shown: macOS registers every
 * one that is, and text fields would lose the letter.
 */
const acceleratorOf = (key: string | undefined): MenuItemConstructorOptions =>
  key?.startsWith('Ctrl+') ? { accelerator: key.replace('Ctrl+', 'CmdOrCtrl+'), registerAccelerator: false } : {}
