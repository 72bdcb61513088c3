import { parseAttnChoice } from '#app/contract/attn-processors.ts'
import { attentionLabel } from '#renderer/store/attention.ts'
import { editDraft } from '#renderer/store/draft.ts'
import { tell, tellFailure } from '#renderer/ui/toasts.ts'

/** Takes the attention processors from a JSON file of the user's, as `frameloom processors` writes it. */
export function chooseAttentionFile(): void {
  const input = document.createElement('input')
  input.type = 'file'
  input.accept = '.json,application/json'
  input.addEventListener('change', () => {
    const file = input.files?.[0]
    if (file) void readAttentionFile(file)
  })
  input.click()
}

async function readAttentionFile(file: File): Promise<void> {
  try {
    const attnProcessor = parseAttnChoice(await file.text())
    editDraft({ attnProcessor })
    tell('success', attentionLabel(attnProcessor), `From ${file.name}.`)
  } catch (error) {
    tellFailure(`${file.name} cannot be used`, error)
  }
}
