import { createReadStream, readdirSync, statSync } from 'node:fs'
import { extname, sep } from 'node:path'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
}

export type PageFile = { type: string; bytes: number; stream(): ReturnType<typeof createReadStream> }

/**
 * The built page's files by their URL path. A request's path is only looked up in this table, never joined to a folder;
 * `refresh` reads the folder again, after a new build.
 */
export function openPageFiles(folder: string) {
  let files = new Map<string, string>()
  const list = (below: string, path: string): [string, string][] =>
    readdirSync(below, { withFileTypes: true }).flatMap((entry): [string, string][] => {
      const file = below + sep + entry.name
      const url = `${path}/${entry.name}`
      return entry.isDirectory() ? list(file, url) : entry.isFile() ? [[url, file]] : []
    })
  const refresh = (): void => {
    files = new Map(list(folder, ''))
  }
  refresh()
  return {
    refresh,
    find(path: string): PageFile | undefined {
      const file = files.get(path === '/' ? '/index.html' : path)
      const stat = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })
      if (file === undefined || !stat) return undefined
      const type = types[extname(file)] ?? 'application/octet-stream'
      return { type, bytes: stat.size, stream: () => createReadStream(file) }
    },
  }
}
export type PageFiles = ReturnType<typeof openPageFiles>
