import { expect, test } from 'vitest'
import { cookieName, readCookie, sessionCookie } from './cookies.ts'
import { createTokens } from './tokens.ts'

test('the launch token has 256 bits and is good once', () => {
  const tokens = createTokens()
  expect(Buffer.from(tokens.launch(), 'base64url')).toHaveLength(32)
  expect(tokens.launchState(null)).toBe('missing')
  for (const wrong of ['', 'x', tokens.launch().slice(1), `${tokens.launch()}x`])
    expect(tokens.launchState(wrong)).toBe('wrong')
  expect(tokens.launchState(tokens.launch())).toBe('valid')
  const session = tokens.exchange()
  expect(session).not.toBe(tokens.launch())
  expect(tokens.launchState(tokens.launch())).toBe('spent')
  expect(() => tokens.exchange()).toThrow(/spent/)
  expect(tokens.sessionState(session)).toBe('valid')
  expect(tokens.sessionState(tokens.launch())).toBe('wrong')
  expect(tokens.sessionState(undefined)).toBe('missing')
})

test('a fresh launch token ends the one before and keeps the session', () => {
  const tokens = createTokens()
  const [old, session] = [tokens.launch(), tokens.exchange()]
  const fresh = tokens.renew()
  expect(tokens.launchState(old)).toBe('wrong')
  expect(tokens.launchState(fresh)).toBe('valid')
  expect(tokens.exchange()).toBe(session)
})

test('two servers never share secrets', () => {
  expect(createTokens().launch()).not.toBe(createTokens().launch())
})

test('cookies are read by their whole name', () => {
  const name = cookieName(8715)
  expect(readCookie(`a=1; ${name}=abc=; b=2`, name)).toBe('abc=')
  expect(readCookie(`x${name}=abc`, name)).toBeUndefined()
  expect(readCookie(`${name}0=abc`, name)).toBeUndefined()
  expect(readCookie(undefined, name)).toBeUndefined()
  expect(sessionCookie(name, 'abc')).toBe(`${name}=abc; HttpOnly; SameSite=Strict; Path=/`)
})
