import { RPCHandler } from '@orpc/server/message-port'
import { app, BrowserWindow, dialog, ipcMain, protocol, session } from 'electron'
import { toProblem } from '#app/contract/errors.ts'
import { insideStore } from '#app/library/inside-store.ts'
import { makeDataDir } from '#main/data-folder.ts'
import { dataDir } from '#main/paths.ts'
import { startOrOpenRunning } from '#main/serve/open-running.ts'
import { openDoor } from '#main/studio/door.ts'
import { keepRunning } from '#main/studio/keep-running.ts'
import { openStudio, type OpenedStudio } from '#main/studio/open-studio.ts'
import { rendererDir } from '#main/studio/page-dir.ts'
import { openPageFiles } from '#main/studio/page-files.ts'
import { connectChannel } from './channel.ts'
import { checkedPort, isKnownSender } from './connect.ts'
import { denyPermissions, pinContents } from './lock-down.ts'
import { setMenu } from './menu.ts'
import { scheme } from './origin.ts'
import { createPageProtocol } from './page-protocol.ts'
import { openStudioWindow } from './studio-window.ts'
import { studioScheme } from './window-options.ts'

// Before `ready`: the scheme, the sandbox of every renderer, and where Chromium keeps its things, which also names the
// lock below.
try {
  app.setPath('userData', insideStore(makeDataDir(), 'window'))
} catch (error) {
  giveUp(error)
  process.exit(1)
}
app.enableSandbox()
protocol.registerSchemesAsPrivileged([studioScheme])
pinContents()

if (app.requestSingleInstanceLock()) {
  app.on('second-instance', toFront)
  app.whenReady().then(start).catch(giveUp)
} else app.quit()

async function start(): Promise<void> {
  const host: { studio?: OpenedStudio } = {}
  keepRunning(() => host.studio?.log)
  const files = openPageFiles(rendererDir())
  // One that serves a browser may have the same data folder.
  const running = { dataDir: dataDir(), open: true, print: console.log }
  const studio = await startOrOpenRunning(running, () => openStudio())
  if (!studio) {
    app.quit()
    return
  }
  host.studio = studio
  const closeDoor = await openDoor(dataDir(), studio.log, () => {
    toFront()
    return { kind: 'window' }
  })
  app.on('before-quit', (event) => {
    event.preventDefault()
    closeDoor()
    void studio.close().finally(() => app.exit())
  })
  app.on('window-all-closed', () => app.quit())

  denyPermissions(session.defaultSession)
  protocol.handle(scheme, createPageProtocol(studio, files))
  const handler = new RPCHandler(studio.router)
  ipcMain.on(connectChannel, (event) => {
    const topFrames = BrowserWindow.getAllWindows().map((window) => window.webContents.mainFrame)
    const [port] = event.ports
    if (!port || !isKnownSender(event.senderFrame, topFrames)) return
    handler.upgrade(checkedPort(port), { context: {} })
    port.start()
  })
  setMenu(studio.command)
  openStudioWindow(insideStore(dataDir(), 'window.json'))
}

function toFront(): void {
  const [window] = BrowserWindow.getAllWindows()
  if (window?.isMinimized()) window.restore()
  window?.focus()
}

function giveUp(error: unknown): void {
  dialog.showErrorBox('Frameloom cannot start', toProblem(error).message)
  app.exit(1)
}
