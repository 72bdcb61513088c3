// Before anything that makes a schema.
import './no-eval.ts'
import '@fontsource-variable/geist/index.css'
import './styles/tokens.css'
import './styles/base.css'
import './ui/controls.css'
import './ui/rows.css'
import './ui/overlays.css'
import './parts/form.css'
import './parts/player/player.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Boundary } from './parts/boundary.tsx'
import { App } from './shell/app.tsx'
import { performCommand } from './shell/commands.ts'
import { followTheme } from './shell/theme.ts'
import { followTitle } from './shell/tell-ends.ts'
import { startWatching } from './shell/watch.ts'
import { keepDraft } from './store/draft.ts'
import { startMirror } from './store/host.ts'
// After all others, since it takes their colours back.
import './styles/forced-colors.css'

followTheme()
keepDraft()
startWatching()
followTitle()
startMirror(performCommand)

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <Boundary what="The studio">
      <App />
    </Boundary>
  </StrictMode>,
)
