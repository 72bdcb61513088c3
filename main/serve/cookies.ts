/** Cookies know no ports: with the port in its name a second server does not overwrite the first one's. */
export const cookieName = (port: number): string => `frameloom-${port}`

/**
 * Every value of that name. Another server of this machine can have a cookie of the same name sent first, with a longer
 * path.
 */
export const readCookies = (header: string | undefined, name: string): string[] =>
  (header?.split(';') ?? []).flatMap((part) => {
    const at = part.indexOf('=')
    return at > 0 && part.slice(0, at).trim() === name ? [part.slice(at + 1).trim()] : []
  })

/** Without an age it ends with the browser. Not `Secure`: the server speaks plain HTTP on the loopback address. */
export const sessionCookie = (name: string, value: string): string =>
  `${name}=${value}; HttpOnly; SameSite=Strict; Path=/`
