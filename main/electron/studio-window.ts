import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BrowserWindow, screen } from 'electron'
import { pageUrl } from './origin.ts'
import { windowOptions } from './window-options.ts'
import { isReachable, parseWindowState, type WindowState } from './window-state.ts'

/** Opens the window where it was last time. `stateFile`: where that is kept. */
export function openStudioWindow(stateFile: string): BrowserWindow {
  const last = readState(stateFile)
  const displays = screen.getAllDisplays().map((display) => display.workArea)
  const bounds = last && isReachable(last, displays) ? last : undefined
  const { maximized, ...place } = bounds ?? { maximized: false }
  const window = new BrowserWindow({ ...windowOptions(join(import.meta.dirname, 'preload.cjs')), ...place })
  if (maximized) window.maximize()

  window.once('ready-to-show', () => window.show())
  window.on('close', () => {
    const state: WindowState = { ...window.getNormalBounds(), maximized: window.isMaximized() }
    try {
      writeFileSync(stateFile, JSON.stringify(state))
    } catch {
      // a full disk must not keep the window open
    }
  })
  // The jobs are the host's, so a page that crashed loses nothing by being loaded again.
  let reloads = 0
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason !== 'clean-exit' && reloads++ < 3) void window.loadURL(pageUrl)
  })
  void window.loadURL(pageUrl)
  return window
}

function readState(file: string): WindowState | null {
  try {
    return parseWindowState(readFileSync(file, 'utf8'))
  } catch {
    return null // the first start
  }
}
