import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

// A tree with every kind of forbidden import, to see that .dependency-cruiser.cjs reads it and says so.
const root = path.join(import.meta.dirname, '../..')
const cruiser = 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'
const tree: Record<string, string> = {
  'app/contract/a.ts': `import 'node:fs'; import '#app/engine/run.ts'; import 'zod'`,
  'app/engine/run.ts': `import 'onnxruntime-node'; import '#app/models/unet.ts'; import 'react'; export type Run = 1`,
  'app/models/unet.ts': `import type { Run } from '#app/engine/run.ts'; export type U = Run`,
  'app/graph/pass.ts': `import 'onnxruntime-node'; import '#app/contract/a.ts'`,
  'app/files/durable.ts': `import 'node:fs'; import '#app/library/store.ts'`,
  'app/tensor/tensor.ts': `import '#app/contract/a.ts'`,
  'app/tensor/tensor.test.ts': `import '#app/engine/run.ts'; import 'vitest'`,
  'app/tokenizers/clip.ts': `import './node/read.ts'; import 'pbf'`,
  'app/tokenizers/node/read.ts': `import 'node:fs'; import '#app/tokenizers/clip.ts'; import '#app/checkpoints/folder.ts'`,
  'app/schedulers/ddim.ts': `import '#app/models/unet.ts'`,
  'app/checkpoints/folder.ts': `import 'node:fs'; import '#app/graph/pass.ts'`,
  'app/runtime/session.ts': `import 'onnxruntime-node'; import '#app/graph/pass.ts'; import '#app/models/unet.ts'`,
  'app/loaded/model.ts': `import '#app/runtime/session.ts'; import '#app/models/unet.ts'; import '#app/pipelines/video.ts'`,
  'app/catalog/scan.ts': `import 'node:fs'; import '#app/models/unet.ts'; import '#app/loaded/model.ts'`,
  'app/pipelines/video.ts': `import '#app/media/node/decode.ts'; import '#app/media/resize.ts'`,
  'app/pipelines/node/open.ts': `import '#app/loaded/model.ts'; import '#app/pipelines/video.ts'; import '#app/catalog/scan.ts'`,
  'app/profile/measure.ts': `import '#app/catalog/scan.ts'; import '#app/loaded/model.ts'; import '#app/pipelines/video.ts'`,
  'app/parity/compare.ts': `import '#app/profile/measure.ts'; import '#app/bench/race.ts'`,
  'app/bench/race.ts': `import '#app/parity/compare.ts'; import '#app/engine/run.ts'`,
  'app/media/resize.ts': `import './node/decode.ts'`,
  'app/media/node/decode.ts': `import 'sharp'; import 'node:fs'; import '#main/serve/serve.ts'`,
  'app/library/store.ts': `import 'node:fs'; import 'node:sqlite'; import 'sharp'`,
  'main/serve/serve.ts': `import '#app/models/unet.ts'; import '#app/library/store.ts'; import 'electron'; import 'zustand'`,
  'main/cli/compare.ts': `import '#app/parity/compare.ts'`,
  'main/electron/window.ts': `import 'electron'; import '#app/contract/a.ts'`,
  'renderer/bridge/socket.ts': `import '@orpc/client'; import '#renderer/store/other.ts'`,
  'renderer/store/page.ts': `import '@orpc/client'; import 'fs'; import './missing.ts'; import './other.ts'; import '#main/serve/serve.ts'`,
  'renderer/store/other.ts': `import './page.ts'; import 'acorn'`,
  'renderer/ui/button.tsx': `import 'react'; import '@base-ui/react/dialog'; import '#app/contract/a.ts'; import '#renderer/store/page.ts'; import 'zustand'`,
  'renderer/store/view.ts': `import 'zustand'; import '#renderer/bridge/socket.ts'; import '#renderer/ui/button.tsx'`,
  'renderer/actions/run.ts': `import '#renderer/store/view.ts'; import '#renderer/media/decode.ts'; import '#renderer/parts/player.tsx'`,
  'renderer/media/decode.ts': `import '#renderer/store/view.ts'`,
  'renderer/parts/player.tsx': `import '#renderer/ui/button.tsx'; import '#renderer/views/make/form.tsx'`,
  'renderer/views/views.ts': `import './make/form.tsx'; import './read/form.tsx'; import '#renderer/ui/button.tsx'`,
  'renderer/views/make/form.tsx': `import './part.tsx'; import '#renderer/parts/player.tsx'; import '#renderer/views/read/form.tsx'`,
  'renderer/views/make/part.tsx': `import '#renderer/views/views.ts'; import '#renderer/dialogs/about/about.tsx'`,
  'renderer/views/read/form.tsx': `import '#renderer/shell/app.tsx'`,
  'renderer/dialogs/about/about.tsx': `import '#renderer/actions/run.ts'; import '#renderer/dialogs/ask/ask.tsx'`,
  'renderer/dialogs/ask/ask.tsx': `import '#renderer/views/read/form.tsx'`,
  'renderer/shell/app.tsx': `import '#renderer/views/views.ts'; import '#renderer/dialogs/ask/ask.tsx'; import '#renderer/bridge/socket.ts'`,
}
const rules = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as { forbidden: { name: string }[] }
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'frameloom-layers-'))
  for (const [file, text] of Object.entries(tree)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true })
    await writeFile(path.join(folder, file), text)
  }
  for (const file of ['package.json', '.dependency-cruiser.cjs', 'tsconfig.base.json', 'tsconfig.node.json']) {
    await cp(path.join(root, file), path.join(folder, file))
  }
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'junction')
})

afterAll(() => rm(folder, { recursive: true, force: true }))

it('reports each forbidden import, and allows the others', async () => {
  const args = [cruiser, 'app', 'main', 'renderer', '--config', '.dependency-cruiser.cjs', '--output-type', 'json']
  // It exits with the number of broken rules.
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder }).catch(
    (error: unknown) => error as { stdout: string },
  )
  const report = JSON.parse(stdout) as {
    summary: { violations: { rule: { name: string }; from: string; to: string }[] }
  }
  const found = report.summary.violations
    .filter(({ rule }) => rule.name !== 'no-circles')
    .map(
      ({ rule, from, to }) =>
        `${rule.name}: ${from} -> ${to.replace(/^.*node_modules\/((@[^/]+\/)?[^/]+)\/.*$/, '$1')}`,
    )
  expect(found.sort()).toEqual([
    'app-is-the-bottom: app/media/node/decode.ts -> main/serve/serve.ts',
    'bench-is-the-last: app/parity/compare.ts -> app/bench/race.ts',
    'bundled-only-in-the-page: app/engine/run.ts -> react',
    'bundled-only-in-the-page: main/serve/serve.ts -> zustand',
    'catalog: app/catalog/scan.ts -> app/loaded/model.ts',
    'checkpoints: app/checkpoints/folder.ts -> app/graph/pass.ts',
    'contract: app/contract/a.ts -> app/engine/run.ts',
    'contract: app/contract/a.ts -> fs',
    'files: app/files/durable.ts -> app/library/store.ts',
    'graph: app/graph/pass.ts -> app/contract/a.ts',
    'graph: app/graph/pass.ts -> onnxruntime-node',
    'in-package-json: renderer/store/other.ts -> acorn',
    'library: app/library/store.ts -> sharp',
    'loaded: app/loaded/model.ts -> app/pipelines/video.ts',
    'main: main/cli/compare.ts -> app/parity/compare.ts',
    'main: main/serve/serve.ts -> app/models/unet.ts',
    'media-node: app/media/node/decode.ts -> main/serve/serve.ts',
    'media: app/media/resize.ts -> app/media/node/decode.ts',
    'models: app/models/unet.ts -> app/engine/run.ts',
    'no-node-in-the-page: renderer/store/page.ts -> fs',
    'only-its-host-knows-electron: main/serve/serve.ts -> electron',
    'only-the-bridge-knows-a-transport: renderer/store/page.ts -> @orpc/client',
    'only-the-runtime-runs-onnx: app/engine/run.ts -> onnxruntime-node',
    'only-the-runtime-runs-onnx: app/graph/pass.ts -> onnxruntime-node',
    'page-actions: renderer/actions/run.ts -> renderer/parts/player.tsx',
    'page-bridge: renderer/bridge/socket.ts -> renderer/store/other.ts',
    'page-dialogs: renderer/dialogs/about/about.tsx -> renderer/dialogs/ask/ask.tsx',
    'page-dialogs: renderer/dialogs/ask/ask.tsx -> renderer/views/read/form.tsx',
    'page-media: renderer/media/decode.ts -> renderer/store/view.ts',
    'page-parts: renderer/parts/player.tsx -> renderer/views/make/form.tsx',
    'page-shell-is-the-top: renderer/views/make/part.tsx -> renderer/views/views.ts',
    'page-shell-is-the-top: renderer/views/read/form.tsx -> renderer/shell/app.tsx',
    'page-store: renderer/store/view.ts -> renderer/ui/button.tsx',
    'page-tables: renderer/views/views.ts -> renderer/ui/button.tsx',
    'page-ui: renderer/ui/button.tsx -> app/contract/a.ts',
    'page-ui: renderer/ui/button.tsx -> renderer/store/page.ts',
    'page-ui: renderer/ui/button.tsx -> zustand',
    'page-views: renderer/views/make/form.tsx -> renderer/views/read/form.tsx',
    'page-views: renderer/views/make/part.tsx -> renderer/dialogs/about/about.tsx',
    'page-views: renderer/views/make/part.tsx -> renderer/views/views.ts',
    'page-views: renderer/views/read/form.tsx -> renderer/shell/app.tsx',
    'parity-and-bench-are-tools: main/cli/compare.ts -> app/parity/compare.ts',
    'pipelines-node: app/pipelines/node/open.ts -> app/catalog/scan.ts',
    'pipelines: app/pipelines/video.ts -> app/media/node/decode.ts',
    'profile: app/profile/measure.ts -> app/catalog/scan.ts',
    'profile: app/profile/measure.ts -> app/pipelines/video.ts',
    'renderer: renderer/store/page.ts -> main/serve/serve.ts',
    'resolves: renderer/store/page.ts -> ./missing.ts',
    'runtime: app/runtime/session.ts -> app/models/unet.ts',
    'schedulers: app/schedulers/ddim.ts -> app/models/unet.ts',
    'tensor: app/tensor/tensor.ts -> app/contract/a.ts',
    'tokenizers-node: app/tokenizers/node/read.ts -> app/checkpoints/folder.ts',
    'tokenizers: app/tokenizers/clip.ts -> app/tokenizers/node/read.ts',
  ])
  // A rule that nothing here breaks would not be missed.
  const broken = new Set(report.summary.violations.map(({ rule }) => rule.name))
  expect([...broken].sort()).toEqual(rules.forbidden.map(({ name }) => name).sort())
  const circles = report.summary.violations.filter(({ rule }) => rule.name === 'no-circles')
  expect(circles.map(({ from }) => from)).toContain('renderer/store/other.ts')
})
