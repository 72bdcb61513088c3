import { createRequire } from 'node:module'
import { modulePath } from './process.mjs'

// Runs as a child of electron.mjs: fetches the archive of the installed Electron into the cache and unpacks it, and
// sends the share that is done. It is ended from outside when nothing arrives any more.
const require = createRequire(modulePath('electron/package.json'))
const { version } = require('electron/package.json')
const { downloadArtifact } = require('@electron/get')

await downloadArtifact({
  version,
  artifactName: 'electron',
  platform: process.env.npm_config_platform ?? process.platform,
  arch: process.env.npm_config_arch ?? process.arch,
  cacheRoot: process.env.electron_config_cache,
  checksums: require('electron/checksums.json'),
  downloadOptions: { quiet: true, getProgressCallback: async ({ percent }) => void process.send?.(percent) },
})
process.send?.(1)
// Its own script finds the archive in the cache and puts it in place.
require('electron/install.js')
