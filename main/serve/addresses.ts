import { hostname, networkInterfaces } from 'node:os'

export const isLoopback = (address: string): boolean => /^(127\.|::1$|::ffff:127\.)/.test(address)

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address)

/** Every `host:port` under which a server bound to `address` may be called, in lower case. */
export function hostsOf(address: string, port: number): ReadonlySet<string> {
  const loopback = ['127.0.0.1', 'localhost', '::1']
  const every = ['0.0.0.0', '::'].includes(address)
  const own = every
    ? Object.values(networkInterfaces()).flatMap((list) => list?.map((one) => one.address) ?? [])
    : [address]
  const names = every ? [...loopback, hostname(), ...own] : isLoopback(address) ? loopback : own
  return new Set(
    names.flatMap((name) => {
      const host = bracketed(name.toLowerCase())
      return port === 80 ? [host, `${host}:80`] : [`${host}:${port}`]
    }),
  )
}

/** The address to be put into a link. */
export const linkHost = (address: string, port: number): string =>
  `${address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '[::1]' : bracketed(address)}:${port}`
