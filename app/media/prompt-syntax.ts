import type { PromptSyntax } from '#app/contract/prompts/syntax.ts'

/** `always`: it means nothing here, however prompts are read. */
type Syntax = { pattern: RegExp; note: (found: string) => string; always?: true }

/** What means something in the prompts of other programs. */
const syntaxes: readonly Syntax[] = [
  {
    pattern: /<hypernet:[^<>]+>/i,
    note: (found) => `“${found}” loads nothing here: there are no hypernetworks.`,
    always: true,
  },
  {
    pattern: /<(?:lora|lyco):[^<>]+>/i,
    note: (found) => `“${found}” loads nothing here: choose the LoRA beside the prompt, or with --lora.`,
  },
  {
    pattern: /\bembedding:[\w.-]+/i,
    note: (found) => `“${found}” loads no embedding here.`,
  },
  {
    pattern: /\([^()]+:\s*[\d.]+\s*\)/,
    note: (found) => `“${found}” does not weigh its words here.`,
  },
  {
    pattern: /\[[^[\]]*:[^[\]]*:\s*[\d.]+\s*\]|\[[^[\]]+\|[^[\]]+\]/,
    note: (found) => `“${found}” does not change the prompt from step to step here.`,
  },
  {
    pattern: /\{[^{}]+\|[^{}]+\}/,
    note: (found) => `“${found}” chooses no variant here.`,
    always: true,
  },
  {
    pattern: /(?<!\\)(?:\(\([^()]+\)\)|\([^()]+\)|\[[^[\]:|]+\])/,
    note: (found) => `“${found}” has no more or less weight here.`,
  },
  { pattern: /\bBREAK\b/, note: () => '“BREAK” divides nothing here.' },
  { pattern: /\bAND\b/, note: () => '“AND” joins no prompts here.', always: true },
]

/**
 * Says of each kind of such syntax in a prompt that it is read as plain words, where prompts are read so; of round
 * brackets, where they weigh.
 */
export function foreignSyntax(prompt: string, syntax: PromptSyntax = 'plain'): string[] {
  let rest = prompt
  return syntaxes.flatMap(({ pattern, note, always }) => {
    const found = pattern.exec(rest)?.[0]
    if (found === undefined || (syntax === 'a1111' && !always)) return []
    // What one kind has found is nothing to the next, nor what stands around it; the brackets of a person are few deep.
    const all = new RegExp(pattern, `${pattern.flags}g`)
    for (let depth = 0; depth < 20 && pattern.test(rest); depth++) rest = rest.replaceAll(all, ' ')
    return [`${note(found.length > 60 ? `${found.slice(0, 57)}…` : found)} It is read as plain words.`]
  })
}
