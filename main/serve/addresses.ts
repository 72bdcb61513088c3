import { hostname, networkInterfaces } from 'node:os'

export const isLoopback = (address: string): boolean => /^(127\.|::1$|::ffff:127\.)/.test(address)

/** Any address of this machine, for both kinds of addresses or for one. */
const isAny = (address: string): boolean => ['0.0.0.0', '::', '::ffff:0.0.0.0'].includes(address)

/** A URL knows no zones (`fe80::1%eth0`), and browsers send none. */
const bracketed = (address: string): string => (address.includes(':') ? `[${address.replace(/%.*$/, '')}]` : address)

/** A host as browsers write it: IPv6 in its shortest form, no port where it is HTTP's own. */
const asBrowsers = (host: string): string => (URL.canParse(`http://${host}`) ? new URL(`http://${host}`).host : host)

/**
 * Every `host:port` under which a server bound to `address` may be called, in lower case. `asked` is the name that the
 * user gave for it.
 */
export function hostsOf(address: string, port: number, asked = address): ReadonlySet<string> {
  const loopback = ['127.0.0.1', 'localhost', '::1']
  const every = Object.values(networkInterfaces()).flatMap((list) => list?.map((one) => one.address) ?? [])
  const names = [
    ...(isAny(address) ? [...loopback, hostname(), ...every] : isLoopback(address) ? loopback : []),
    address,
    asked,
  ]
  return new Set(
    names.flatMap((name) => {
      const host = `${bracketed(name.toLowerCase())}:${port}`
      return [asBrowsers(host), host]
    }),
  )
}

/** The address to be put into a link. */
export function linkHost(address: string, port: number): string {
  const local = address === '::' ? '::1' : isAny(address) ? '127.0.0.1' : address
  return `${bracketed(local)}:${port}`
}
