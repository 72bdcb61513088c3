import { activeJobs, useStudio } from '#renderer/store/studio.ts'
import { generate } from '#renderer/actions/generate.ts'
import { Button } from '#renderer/ui/button.tsx'
import { Keys } from '#renderer/ui/keys.tsx'

export function GenerateButton() {
  const waiting = useStudio((state) => activeJobs(state).length)
  const ready = useStudio((state) => state.connection === 'open' && state.engine?.state !== 'stopped')
  return (
    <div className="form-foot">
      <Button variant="primary" size="large" disabled={!ready} onClick={() => void generate()}>
        {waiting > 0 ? 'Add to queue' : 'Generate'}
        <Keys shortcut="Ctrl+Enter" />
      </Button>
    </div>
  )
}
