import { quoted, type Refuse } from './file.ts'

const quote = 0x22
const comma = 0x2c
const zero = 0x30
const colon = 0x3a
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
/** As deep as the reference's parser (serde_json) goes. */
const deepest = 128
/** Longer numbers are of no use to anyone. */
const longestWord = 1000
// What makes a string more than the text between its quotes: an escape, or a character that JSON forbids.
const special = /[\\\u0000-\u001f]/

/**
 * Walks over JSON text (RFC 8259) of a known form, without building values: what does not belong is refused where it
 * starts, no number is rounded, and keys are seen as often as they are written. `where` says what is being read, for
 * messages.
 */
export class JsonCursor {
  private at = 0
  private readonly text: string
  private readonly refuse: Refuse
  private readonly where: () => string

  constructor(text: string, refuse: Refuse, where: () => string) {
    this.text = text
    this.refuse = refuse
    this.where = where
  }

  /** The first key of an object, at its value; undefined when the object is empty. */
  firstKey(): string | undefined {
    this.expect(openBrace)
    return this.accept(closeBrace) ? undefined : this.key()
  }

  /** The next key of the object whose value was just read; undefined at its end. */
  nextKey(): string | undefined {
    if (this.accept(comma)) return this.key()
    this.expect(closeBrace)
    return undefined
  }

  string(): string {
    if (this.skipSpace() !== quote) this.unexpected('a string')
    const { text, at: start } = this
    let end = start
    let escapes: number
    do {
      end = text.indexOf('"', end + 1)
      if (end < 0) this.refuse(`it is not valid JSON: a string in ${this.where()} does not end (character ${start})`)
      for (escapes = 0; text.charCodeAt(end - 1 - escapes) === backslash; escapes++);
    } while (escapes % 2 === 1)
    this.at = end + 1
    const inside = text.slice(start + 1, end)
    return special.test(inside) ? this.unescaped(text.slice(start, this.at), start) : inside
  }

  /** Whether a null is next, which is passed then. */
  null(): boolean {
    this.skipSpace()
    if (!this.text.startsWith('null', this.at)) return false
    this.at += 'null'.length
    return true
  }

  /** Passes over a value of any form. */
  skip(): void {
    this.skipSpace()
    const start = this.at
    let depth = 0
    do {
      const code = this.skipSpace()
      if (code === quote) this.string()
      else if (code === openBrace || code === openBracket) depth++
      else if (depth > 0 && (code === closeBrace || code === closeBracket)) depth--
      else if (depth === 0 || (code !== comma && code !== colon)) this.word()
      if ([openBrace, openBracket, closeBrace, closeBracket, comma, colon].includes(code)) this.at++
      if (depth > deepest) this.refuse(`${this.where()} is nested more than ${deepest} deep`)
    } while (depth > 0)
    try {
      JSON.parse(this.text.slice(start, this.at))
    } catch {
      this.refuse(`it is not valid JSON: ${this.where()} (character ${start})`)
    }
  }

  /** A list of non-negative integers that a number holds exactly. */
  integers(): number[] {
    this.expect(openBracket)
    const values: number[] = []
    if (this.accept(closeBracket)) return values
    do values.push(this.integer())
    while (this.accept(comma))
    this.expect(closeBracket)
    return values
  }

  end(): void {
    this.skipSpace()
    if (this.at < this.text.length) this.unexpected('nothing more')
  }

  /** A number, or one of JSON's words. */
  private word(): void {
    const word = /^[-+.\w]+/.exec(this.text.slice(this.at, this.at + longestWord))
    if (!word) this.unexpected('a value')
    else this.at += word[0].length
  }

  private key(): string {
    const key = this.string()
    this.expect(colon)
    return key
  }

  private integer(): number {
    this.skipSpace()
    const { text, at: start } = this
    let at = start
    let value = 0
    let code = text.charCodeAt(at)
    for (; code >= zero && code <= zero + 9; code = text.charCodeAt(++at)) value = value * 10 + (code - zero)
    this.at = at
    const leadingZero = at - start > 1 && text.charCodeAt(start) === zero
    const goesOn = at < text.length && '.eE'.includes(text[at]!)
    if (at > start && !leadingZero && !goesOn) {
      if (!Number.isSafeInteger(value)) this.refuse(`${this.where()}: ${text.slice(start, start + 40)} is beyond 2^53`)
      return value
    }
    const number = /^[-+.\deE]+/.exec(text.slice(start, start + 40))
    if (!number) return this.unexpected('a number')
    return this.refuse(`${this.where()}: ${quoted(number[0])} must be a non-negative integer`)
  }

  private unescaped(source: string, start: number): string {
    let value: unknown
    try {
      value = JSON.parse(source)
    } catch {
      value = undefined
    }
    if (typeof value === 'string' && !/\p{Surrogate}/u.test(value)) return value
    return this.refuse(
      `it is not valid JSON: a bad character or escape in a string in ${this.where()} (character ${start})`,
    )
  }

  private skipSpace(): number {
    while (this.at < this.text.length) {
      const code = this.text.charCodeAt(this.at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code
      this.at++
    }
    return -1
  }

  private accept(mark: number): boolean {
    if (this.skipSpace() !== mark) return false
    this.at++
    return true
  }

  private expect(mark: number): void {
    if (!this.accept(mark)) this.unexpected(`'${String.fromCharCode(mark)}'`)
  }

  private unexpected(expected: string): never {
    const found = this.at < this.text.length ? quoted(this.text[this.at]!) : 'its end'
    return this.refuse(
      `it is not the JSON that the format asks for: ${expected} expected at character ${this.at} (${this.where()}), found ${found}`,
    )
  }
}
