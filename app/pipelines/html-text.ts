/** The Latin-1 names of HTML 4, from U+00A0 on. */
const latin1 =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro ' +
  'para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil ' +
  'Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave ' +
  'Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml ' +
  'igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute ' +
  'thorn yuml'

/** Each name and its character, of the others that texts of the web have. */
const others =
  'quot " amp & lt < gt > apos \' QUOT " AMP & LT < GT > COPY © REG ® OElig Œ oelig œ Scaron Š scaron š Yuml Ÿ ' +
  'fnof ƒ circ ˆ tilde ˜ Alpha Α Beta Β Gamma Γ Delta Δ Theta Θ Lambda Λ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω alpha α ' +
  'beta β gamma γ delta δ epsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ mu μ nu ν xi ξ omicron ο pi π rho ρ ' +
  'sigmaf ς sigma σ tau τ upsilon υ phi φ chi χ psi ψ omega ω ndash – mdash — lsquo ‘ rsquo ’ sbquo ‚ ldquo “ rdquo ” ' +
  'bdquo „ dagger † Dagger ‡ bull • hellip … permil ‰ prime ′ Prime ″ lsaquo ‹ rsaquo › oline ‾ frasl ⁄ euro € trade ™ ' +
  'larr ← uarr ↑ rarr → darr ↓ harr ↔ minus − infin ∞ asymp ≈ ne ≠ le ≤ ge ≥ loz ◊ spades ♠ clubs ♣ hearts ♥ diams ♦'

const named = new Map<string, string>(latin1.split(' ').map((name, i) => [name, String.fromCharCode(0xa0 + i)]))
const pairs = others.split(' ')
for (let i = 0; i < pairs.length; i += 2) named.set(pairs[i]!, pairs[i + 1]!)
for (const [name, character] of Object.entries({
  ensp: 0x2002,
  emsp: 0x2003,
  thinsp: 0x2009,
  zwnj: 0x200c,
  zwj: 0x200d,
}))
  named.set(name, String.fromCharCode(character))

/** Those that browsers also read without the semicolon. */
const bare = new Set([...latin1.split(' '), 'quot', 'amp', 'lt', 'gt', 'QUOT', 'AMP', 'LT', 'GT', 'COPY', 'REG'])

/** What Windows-1252 has where a number names a control character: U+0080 to U+009F. */
const windows1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

function numbered(code: number): string {
  if (code >= 0x80 && code <= 0x9f) return windows1252[code - 0x80]!
  if (code === 0 || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return '\ufffd'
  const isControl = (code < 0x20 && !/[\t\n\f\r]/.test(String.fromCharCode(code))) || code === 0x7f
  return isControl ? '' : String.fromCodePoint(code)
}

const reference = /&(?:#(\d+);?|#[xX]([\da-fA-F]+);?|([A-Za-z][A-Za-z\d]*)(;?))/g

/**
 * A text with its character references as the characters, as Python's html.unescape has it; of the 2,231 names of HTML
 * 5 the 252 of HTML 4 that texts use. What is no reference stays.
 */
export const unescapeHtml = (text: string): string =>
  text.replace(reference, (all: string, decimal?: string, hex?: string, name: string = '', end: string = '') => {
    if (decimal !== undefined) return numbered(Number(decimal))
    if (hex !== undefined) return numbered(parseInt(hex, 16))
    if (end && named.has(name)) return named.get(name)!
    for (let length = name.length; length > 1; length--) {
      const start = name.slice(0, length)
      if (bare.has(start)) return named.get(start)! + name.slice(length) + end
    }
    return all
  })

/** A comment, a declaration, a tag, or an element whose content is no text. What does not end is text. */
const marks =
  /<!--[\s\S]*?-->|<[!?][^>]*>|<(script|style)\b[^>]*>[\s\S]*?<\/\1\s*>|<\/?[a-zA-Z](?:"[^"]*"|'[^']*'|[^>"'])*>/gi

/** Without a semicolon the name ends where letters and digits do, and something must follow. */
const inMarkup = /&(?:#(\d+|[xX][\da-fA-F]+)(?:;|(?=[^\da-fA-F]))|([a-zA-Z][-.a-zA-Z\d]*)(?:;|(?=[^a-zA-Z\d])))/g

/** The text of a piece of HTML: what BeautifulSoup's html.parser gives as `.text`, for what people write. */
export const htmlText = (html: string): string =>
  html.replace(marks, '').replace(inMarkup, (_: string, number?: string, name: string = '') => {
    if (number !== undefined) return unescapeHtml(`&#${number};`)
    return named.get(name) ?? `&${name}`
  })
