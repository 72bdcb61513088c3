import { expect, test } from 'vitest'
import { cookieName, readCookies, sessionCookie } from './cookies.ts'
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
  expect(tokens.sessionState([session])).toBe('valid')
  expect(tokens.sessionState(['planted', session])).toBe('valid')
  expect(tokens.sessionState([session, 'planted'])).toBe('valid')
  expect(tokens.sessionState([tokens.launch(), 'planted'])).toBe('wrong')
  expect(tokens.sessionState([])).toBe('missing')
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
  expect(readCookies(`a=1; ${name}=abc=; b=2`, name)).toEqual(['abc='])
  expect(readCookies(`${name}=x; a=1;${name}=abc`, name)).toEqual(['x', 'abc'])
  expect(readCookies(`x${name}=abc`, name)).toEqual([])
  expect(readCookies(`${name}0=abc`, name)).toEqual([])
  expect(readCookies(undefined, name)).toEqual([])
  expect(sessionCookie(name, 'abc')).toBe(`${name}=abc; HttpOnly; SameSite=Strict; Path=/`)
})
