import type { BrowserWindowConstructorOptions, CustomScheme } from 'electron'
import { scheme } from './origin.ts'

/**
 * The window, as data: a test holds it against Electron's security checklist
 * (electronjs.org/docs/latest/tutorial/security).
 */
export const windowOptions = (preload: string): BrowserWindowConstructorOptions => ({
  width: 1440,
  height: 900,
  minWidth: 720,
  minHeight: 480,
  show: false,
  backgroundColor: '#16181d',
  title: 'Frameloom',
  webPreferences: {
    preload,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    safeDialogs: true,
    spellcheck: false, // its dictionaries would be downloaded
  },
})

/** `standard` gives the page an origin, `secure` WebCodecs, `stream` answers that come as they are made. */
export const studioScheme: CustomScheme = {
  scheme,
  privileges: {
    standard: true,
    secure: true,
    supportFetchAPI: true,
    stream: true,
    bypassCSP: false,
    corsEnabled: false,
  },
}
