import type { MenuItemConstructorOptions } from 'electron'
import { expect, test } from 'vitest'
import { commandIds, commandTable, type CommandId } from '#app/contract/commands.ts'
import { menuTemplate } from './menu-template.ts'

const itemsOf = (menu: MenuItemConstructorOptions): MenuItemConstructorOptions[] =>
  Array.isArray(menu.submenu) ? menu.submenu : []
const built = (isMac: boolean) => {
  const performed: CommandId[] = []
  const menus = menuTemplate((id) => void performed.push(id), { isMac, isPackaged: true })
  return { menus, items: menus.flatMap(itemsOf).filter(({ id }) => id !== undefined), performed }
}

test.each([true, false])('every command stands in one menu under its name and asks for itself, Mac: %s', (isMac) => {
  const { items, performed } = built(isMac)
  expect(items.map(({ id }) => id).toSorted()).toEqual(commandIds.toSorted())
  for (const item of items) {
    expect(item.label).toBe(commandTable[item.id as CommandId].name)
    ;(item.click as () => void)()
    expect(performed.pop()).toBe(item.id)
  }
})

test('only keys with Ctrl are shown, and none is taken from the page: G must stay a letter in a text field', () => {
  const { items } = built(false)
  const shown = items.filter(({ accelerator }) => accelerator !== undefined)
  expect(shown.map(({ id, accelerator }) => [id, accelerator])).toEqual([
    ['settings', 'CmdOrCtrl+,'],
    ['run', 'CmdOrCtrl+Enter'],
    ['cancel', 'CmdOrCtrl+.'],
    ['undo', 'CmdOrCtrl+Z'],
    ['redo', 'CmdOrCtrl+Shift+Z'],
    ['palette', 'CmdOrCtrl+K'],
  ])
  expect(shown.every(({ registerAccelerator }) => registerAccelerator === false)).toBe(true)
})

test('the platform keeps what is its own', () => {
  expect(built(true).menus.map(({ role, label }) => role ?? label)).toEqual([
    'appMenu',
    'File',
    'editMenu',
    'Run',
    'Clip',
    'Player',
    'View',
    'Help',
    'windowMenu',
  ])
  const roles = built(false)
    .menus.flatMap(itemsOf)
    .map(({ role }) => role)
  expect(roles).toContain('quit')
  expect(roles).not.toContain('toggleDevTools')
})
