import { contextBridge, ipcRenderer } from 'electron'
import { connectChannel } from './channel.ts'

// The one door: the page learns which host it has, and may hand over one end of a channel of its own. A port cannot
// cross the bridge as a value, so the page posts it to its own window, which this script shares.
contextBridge.exposeInMainWorld('frameloom', { host: 'electron' })
window.addEventListener('message', (event) => {
  const [port] = event.ports
  if (event.source !== window || event.origin !== window.location.origin) return
  if (event.data === connectChannel && port) ipcRenderer.postMessage(connectChannel, null, [port])
})
