import { app, type Session } from 'electron'
import { openExternal } from './external-link.ts'
import { isOwnUrl, mayAsk } from './origin.ts'

/** No permission is given but that our own page may have the system say that a run has ended. */
export function denyPermissions(session: Session): void {
  session.setPermissionRequestHandler((contents, permission, answer) => answer(mayAsk(permission, contents.getURL())))
  session.setPermissionCheckHandler((contents, permission) => mayAsk(permission, contents?.getURL()))
  session.setDevicePermissionHandler(() => false)
  session.on('will-download', (event, item) => {
    const [address = ''] = item.getURLChain()
    if (!isOwnUrl(address.replace(/^blob:/, ''))) event.preventDefault()
  })
}

/** No contents of any kind leave our page: no navigation, no frames elsewhere, no new windows, no webviews. */
export function pinContents(): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-frame-navigate', (event) => {
      if (!isOwnUrl(event.url) || !event.isMainFrame) event.preventDefault()
    })
    contents.on('will-redirect', (event) => {
      if (!isOwnUrl(event.url)) event.preventDefault()
    })
    contents.on('will-attach-webview', (event) => event.preventDefault())
    contents.setWindowOpenHandler(({ url }) => {
      void openExternal(url)
      return { action: 'deny' }
    })
  })
}
