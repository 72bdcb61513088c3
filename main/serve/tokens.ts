import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { GuardedRequest } from './guard.ts'

/** 256 random bits. */
const newSecret = (): string => randomBytes(32).toString('base64url')

/** Constant in time whatever the lengths are: digests are compared. */
function equal(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

export type Tokens = ReturnType<typeof createTokens>

/** The two secrets of one run of the server: the launch token, good once, and the session's, kept in a cookie. */
export function createTokens() {
  let launch = newSecret()
  const session = newSecret()
  let spent = false
  return {
    launch: (): string => launch,
    /** A fresh launch token; the one before it is good for nothing from here on. */
    renew(): string {
      launch = newSecret()
      spent = false
      return launch
    },
    launchState(token: string | null): GuardedRequest['launch'] {
      if (token === null) return 'missing'
      if (!equal(token, launch)) return 'wrong'
      return spent ? 'spent' : 'valid'
    },
    sessionState(cookies: readonly string[]): GuardedRequest['session'] {
      if (cookies.length === 0) return 'missing'
      return cookies.some((cookie) => equal(cookie, session)) ? 'valid' : 'wrong'
    },
    /** The session's secret for the launch token; it is spent from here on. */
    exchange(): string {
      if (spent) throw new Error('The launch token was spent already.')
      spent = true
      return session
    },
  }
}
