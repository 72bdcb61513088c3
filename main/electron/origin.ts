/** The page's own scheme and host in Electron: no file: address, no port, nothing that a site could be served from. */
export const scheme = 'studio'
export const pageUrl = `${scheme}://app/`

/** True for addresses of our page and of nothing else. */
export function isOwnUrl(url: string | undefined): boolean {
  if (url === undefined || !URL.canParse(url)) return false
  const { protocol, host, username, password } = new URL(url)
  return protocol === `${scheme}:` && host === 'app' && username === '' && password === ''
}

/** The address as it may be given to the system's browser, or null: https, without a name or password in it. */
export function externalUrl(url: string): string | null {
  if (!URL.canParse(url)) return null
  const { protocol, username, password, href } = new URL(url)
  return protocol === 'https:' && username === '' && password === '' ? href : null
}

/** What a page may ask the system for: ours may tell that a run has ended, and nothing else may anything. */
export const mayAsk = (permission: string, url: string | undefined): boolean =>
  permission === 'notifications' && isOwnUrl(url)
