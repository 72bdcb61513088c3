import type { TokenCount, TokenQuestion } from '#app/contract/prompts/token-count.ts'
import { callHost } from '#renderer/store/host.ts'

/** How long texts are for a model; nothing where that cannot be told, since a run says what did not fit. */
export const countTokens = (question: TokenQuestion): Promise<readonly TokenCount[]> =>
  callHost((host) => host.countTokens(question)).catch(() => [])
