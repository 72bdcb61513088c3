/**
 * The printable character that stands for each byte in a byte-level vocabulary: visible Latin-1 characters for
 * themselves, the rest from U+0100 on. Source: the GPT-2 tokenizer, as CLIP took it over.
 */
const characters: readonly string[] = (() => {
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => {
    const visible = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
    return String.fromCharCode(visible ? byte : next++)
  })
})()

const bytes = new Map(characters.map((character, byte) => [character, byte]))

/** The UTF-8 bytes of a text, a character each. */
export const bytesAsCharacters = (text: string): string[] =>
  Array.from(new TextEncoder().encode(text), (byte) => characters[byte] ?? '')

/** The text of such characters; bytes that are no UTF-8 become U+FFFD, and other characters stay as they are. */
export function charactersAsText(text: string): string {
  const encoder = new TextEncoder()
  const parts = Array.from(text, (character) => {
    const byte = bytes.get(character)
    return byte === undefined ? [...encoder.encode(character)] : [byte]
  })
  return new TextDecoder().decode(Uint8Array.from(parts.flat()))
}
