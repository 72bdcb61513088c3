/**
 * What a prompt says at a step, counted from 0: `[a|b]` is a, then b, then a again; `[a:b:0.5]` is a in the first half
 * of the steps and b after it, `[a:b:8]` b after 8 steps; `[b:8]` begins as nothing, `[a::8]` ends so. Other brackets
 * stay as they are. Source: A1111's wiki, Features, "Prompt editing" and "Alternating Words".
 */
export function promptAt(prompt: string, step: number, steps: number): string {
  const reader = { text: prompt, at: 0, depth: 0 }
  let result = ''
  while (reader.at < prompt.length) {
    const { options } = readUntil(reader, '', step, steps)
    // A bracket that closes nothing is a character.
    result += options[0]!.join(':') + (prompt[reader.at++] ?? '')
  }
  return result
}

type Reader = { readonly text: string; at: number; depth: number }

/** Brackets that are deeper are characters: no person writes them. */
const deepest = 100

/** Up to the closing bracket, which is left: options that `|` divides, each of parts that `:` divides. */
function readUntil(reader: Reader, end: '' | ')' | ']', step: number, steps: number): { options: string[][] } {
  const options = [['']]
  reader.depth++
  const add = (text: string): void => {
    const parts = options.at(-1)!
    parts[parts.length - 1] = parts.at(-1)! + text
  }
  while (reader.at < reader.text.length) {
    const character = reader.text[reader.at]!
    if (character === end || (end === '' && (character === ')' || character === ']'))) break
    reader.at++
    if (character === '\\') add(character + (reader.text[reader.at++] ?? ''))
    else if (character === '(' && reader.depth < deepest) add(inRound(readUntil(reader, ')', step, steps), reader))
    else if (character === '[' && reader.depth < deepest)
      add(inSquare(readUntil(reader, ']', step, steps), reader, step, steps))
    else if (end === ']' && character === '|') options.push([''])
    else if (end !== '' && character === ':') options.at(-1)!.push('')
    else add(character)
  }
  reader.depth--
  return { options }
}

const closed = (reader: Reader): boolean => reader.at++ < reader.text.length

const inRound = ({ options }: { options: string[][] }, reader: Reader): string =>
  `(${options[0]!.join(':')}${closed(reader) ? ')' : ''}`

function inSquare({ options }: { options: string[][] }, reader: Reader, step: number, steps: number): string {
  const written = options.map((parts) => parts.join(':'))
  if (!closed(reader)) return `[${written.join('|')}`
  if (options.length > 1) return written[step % options.length]!
  const parts = options[0]!
  const when = /^\s*(\d*\.?\d+)\s*$/.exec(parts.at(-1)!)?.[1]
  if (when === undefined || parts.length < 2 || parts.length > 3) return `[${written[0]!}]`
  const from = Number(when) < 1 ? Math.floor(Number(when) * steps) : Number(when)
  const [before, after] = parts.length === 3 ? (parts as [string, string]) : ['', parts[0]!]
  return step < from ? before : after
}
