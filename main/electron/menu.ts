import { app, Menu } from 'electron'
import type { CommandId } from '#app/contract/commands.ts'
import { menuTemplate } from './menu-template.ts'

/** `perform` gets the page's commands; those of the platform are Electron's own. */
export function setMenu(perform: (id: CommandId) => void): void {
  const template = menuTemplate(perform, { isMac: process.platform === 'darwin', isPackaged: app.isPackaged })
  Menu.setApplicationMenu(Menu.buildFromTemplate(template))
}
