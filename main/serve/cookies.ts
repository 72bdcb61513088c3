/** Cookies know no ports: with the port in its name a second server does not overwrite the first one's. */
export const cookieName = (port: number): string => `frameloom-${port}`

export function readCookie(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const at = part.indexOf('=')
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim()
  }
  return undefined
}

/** Without an age it ends with the browser. Not `Secure`: the server speaks plain HTTP on the loopback address. */
export const sessionCookie = (name: string, value: string): string =>
  `${name}=${value}; HttpOnly; SameSite=Strict; Path=/`
