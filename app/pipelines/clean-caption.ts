import { htmlText, unescapeHtml } from './html-text.ts'

/** Python's classes, which are of Unicode where JavaScript's are of ASCII; of white space they differ in a few. */
const word = '\\p{L}\\p{N}_'
const space = '\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'

/** A pattern as Python's `re` reads it: \w \d \s \S \D and \b by Unicode. */
function python(pattern: string, flags = 'gu'): RegExp {
  let inClass = false
  const source = pattern.replace(/\\.|[[\]]/gs, (token) => {
    if (token === '[') inClass = true
    else if (token === ']') inClass = false
    else if (token === '\\w') return inClass ? word : `[${word}]`
    else if (token === '\\s') return inClass ? space : `[${space}]`
    else if (token === '\\S') return `[^${space}]`
    else if (token === '\\d') return '\\p{Nd}'
    else if (token === '\\D') return '\\P{Nd}'
    else if (token === '\\b') return `(?:(?<=[${word}])(?![${word}])|(?<![${word}])(?=[${word}]))`
    return token
  })
  return new RegExp(source, flags)
}

const ends = python('^\\s+|\\s+$')
const strip = (text: string): string => text.replace(ends, '')

/** A prompt as PixArt reads one that is not cleaned. */
export const plainCaption = (text: string): string => strip(text.toLowerCase())

const host = '[a-zA-Z0-9.\\-]+[.](?:com|co|ru|net|org|edu|gov|it)[\\w\\/\\-]*\\b\\/?(?!@)'
const pictures = 'png|jpg|jpeg|bmp|webp|eps|pdf|apk|mp4'

const dashes =
  '\\-\\u058a\\u05be\\u1400\\u1806\\u2010-\\u2015\\u2e17\\u2e1a\\u2e3a\\u2e3b\\u2e40\\u301c\\u3030\\u30a0\\ufe31\\ufe32' +
  '\\ufe58\\ufe63\\uff0d'

type Rule = readonly [pattern: RegExp, replacement: string]
const rule = (pattern: string, replacement = ''): Rule => [python(pattern), replacement]

const beforeMarkup: readonly Rule[] = [
  rule('<person>', 'person'),
  rule(`\\b(?:https?:(?:\\/{1,3}|[a-zA-Z0-9%])|${host})`),
  rule(`\\b(?:www:(?:\\/{1,3}|[a-zA-Z0-9%])|${host})`),
]

const afterMarkup: readonly Rule[] = [
  rule('@[\\w\\d]+\\b'),
  // From CJK strokes to the unified ideographs, with Katakana's extensions between them
  rule('[\\u31c0-\\u9fff]+'),
  rule(`[${dashes}]+`, '-'),
  rule('[`´«»“”¨]', '"'),
  rule('[‘’]', "'"),
  rule('&quot;?'),
  rule('&amp'),
  rule('\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}', ' '),
  rule('\\d:\\d\\d\\s+$'),
  rule('\\\\n', ' '),
  rule('#\\d{1,3}\\b'),
  rule('#\\d{5,}\\b'),
  rule('\\b\\d{6,}\\b'),
  rule(`\\S+\\.(?:${pictures})`),
  rule('["\']{2,}', '"'),
  rule('\\.{2,}', ' '),
  rule('[#®•©™&@·º½¾¿¡§~)(\\]\\[}{|\\\\\\/*]+', ' '),
  rule('\\s+\\.\\s+', ' '),
]

const atTheEnd: readonly Rule[] = [
  rule('\\b[a-zA-Z]{1,3}\\d{3,15}\\b'),
  rule('\\b[a-zA-Z]+\\d+[a-zA-Z]+\\b'),
  rule('\\b\\d+[a-zA-Z]+\\d+\\b'),
  rule('(?:worldwide\\s+)?(?:free\\s+)?shipping'),
  rule('(?:free\\s)?download(?:\\sfree)?'),
  rule('\\bclick\\b\\s(?:for|on)\\s\\w+'),
  rule(`\\b(?:${pictures})(?:\\simages?)?`),
  rule('\\bpage\\s+\\d+\\b'),
  rule('\\b\\d*[a-zA-Z]+\\d+[a-zA-Z]+\\d+[a-zA-Z\\d]*\\b', ' '),
  rule('\\b\\d+\\.?\\d*[xх×]\\d+\\.?\\d*\\b'),
  rule('\\b\\s+:\\s+', ': '),
  rule('(\\D[,.\\/])\\b', '$1 '),
  rule('\\s+', ' '),
  rule('^["\']([^]+)["\']$', '$1'),
  rule("^['_,\\-:;]"),
  rule("['_,\\-:+]$"),
  rule('^\\.\\S+$'),
]

/**
 * A prompt cleaned as the captions were that PixArt was trained with: no addresses, markup, file names, article numbers
 * or advertising. Source: pipeline_pixart_alpha.py@58eb52c _text_preprocessing and _clean_caption, which goes over a
 * text twice. Its ftfy is here without the repair of text that was decoded wrongly.
 */
export const cleanCaption = (text: string): string => cleanOnce(cleanOnce(text))

function cleanOnce(text: string): string {
  const plain = applied(beforeMarkup, strip(unquotePlus(text)).toLowerCase())
  let caption = applied(afterMarkup, htmlText(plain))
  if ((caption.match(/[-_]/g) ?? []).length > 3) caption = caption.replace(/[-_]/g, ' ')
  return strip(applied(atTheEnd, unescapeHtml(unescapeHtml(fixedText(caption)))))
}

const applied = (rules: readonly Rule[], text: string): string =>
  rules.reduce((current, [pattern, replacement]) => current.replace(pattern, replacement), text)

/** `+` as a space, and %XX as the UTF-8 that they spell. Source: Python's urllib.parse.unquote_plus. */
function unquotePlus(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replace(/(?:%[\da-fA-F]{2})+/g, (bytes) =>
      new TextDecoder('utf-8', { ignoreBOM: true }).decode(
        Uint8Array.from(bytes.slice(1).split('%'), (byte) => parseInt(byte, 16)),
      ),
    )
}

/** The 28 Latin letters that are two or three in one. */
const ligature = /[\u0132\u0133\u0149\u01c4-\u01cc\u01f1-\u01f3\ufb00-\ufb06]/gu

/**
 * Characters of one meaning as one character: controls of Windows, ligatures, widths, quotes, ends of lines, other
 * controls, and the composed form. Source: ftfy 6's fix_text, without fix_encoding.
 */
const fixedText = (text: string): string =>
  text
    .replace(/\p{Cc}\[[\d;]*[a-zA-Z]/gu, '')
    .replace(/[\u0080-\u009f]/gu, (one) => unescapeHtml(`&#${one.charCodeAt(0)};`))
    .replace(ligature, (one) => one.normalize('NFKC'))
    .replace(/[\u3000\uff01-\uffef]/gu, (one) => one.normalize('NFKC'))
    .replace(/[\u02bc\u2018-\u201b]/gu, "'")
    .replace(/[\u201c-\u201f]/gu, '"')
    .replace(/\r\n|[\r\u2028\u2029]/gu, '\n')
    .replace(/(?![\t\n\f\r])[\p{Cc}\u206a-\u206f\ufeff\ufff9-\ufffc]/gu, '')
    .normalize('NFC')
