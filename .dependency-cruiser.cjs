// Who may import whom: the arrows of docs/architecture.md. What a folder may import is listed; anything else is an
// error. Tests are exempt from the layers, not from resolution.
const test = '\\.test\\.tsx?$|/(testing|test-[a-z-]+)\\.ts$'
const npm = (...names) => `(^|/)node_modules/(${names.join('|')})/`
const errors = '^app/contract/errors\\.ts$'
const attnProcessors = '^app/contract/attn-processor-table[.]ts$'
const prompts = '^app/contract/prompts/(syntax|names|words)[.]ts$'
const weights = '^app/checkpoints/(weights|lora/layer)[.]ts$'
const pureMedia = '^app/media/[^/]+\\.ts$'
// Rooms whose node/ folder does with files what the files beside it do with values.
const pure = (room) => `^app/${room}/[^/]+\\.ts$`
const rooms = (...names) => `^app/(${names.join('|')})/`

const forbid = (name, from, to) => ({ name, severity: 'error', from, to })

/** The files of `path` may import `allowed` and nothing else, not even Node's own modules. */
const core = (name, path, ...allowed) => forbid(name, { path, pathNot: test }, { pathNot: [path, ...allowed] })

/** Of the page, the files of `path` may import `allowed` alone; what they may of app is said of the page as a whole. */
const page = (name, path, ...allowed) =>
  forbid(name, { path: `^renderer/${path}`, pathNot: test }, { path: '^renderer/', pathNot: allowed })
const viewRecord = '^renderer/views/view[.]ts$'
const layers = (...names) => `^renderer/(${names.join('|')})/`

/** As `core`, but Node's own modules are free. */
const onNode = (name, path, ...allowed) =>
  forbid(name, { path, pathNot: test }, { pathNot: [path, ...allowed], dependencyTypesNot: ['core'] })

module.exports = {
  forbidden: [
    core('contract', '^app/contract/', npm('zod', '@orpc/contract')),
    core('tensor', '^app/tensor/'),
    core(
      'tokenizers',
      pure('tokenizers'),
      rooms('tensor'),
      errors,
      prompts,
      npm('zod', '@huggingface/tokenizers', 'pbf'),
    ),
    onNode('tokenizers-node', '^app/tokenizers/node/', pure('tokenizers'), errors, npm('zod')),
    core('graph', '^app/graph/', '^app/tensor/', attnProcessors, errors, weights, npm('pbf')),
    core('models', '^app/models/', '^app/graph/', '^app/tensor/', attnProcessors, errors, weights, npm('zod')),
    core('schedulers', '^app/schedulers/', '^app/tensor/', '^app/contract/schedulers[.]ts$', errors, npm('zod')),
    core(
      'pipelines',
      pure('pipelines'),
      rooms('contract', 'schedulers', 'tokenizers', 'tensor'),
      pureMedia,
      npm('zod'),
    ),
    core('media', pureMedia, rooms('contract', 'tensor'), npm('zod')),
    onNode(
      'media-node',
      '^app/media/[^/]+/',
      rooms('contract', 'tensor', 'media', 'files'),
      npm('zod', 'sharp', 'mediabunny'),
    ),
    onNode('files', '^app/files/', errors, npm('zod')),
    onNode('checkpoints', '^app/checkpoints/', rooms('tensor', 'files'), errors, npm('zod')),
    onNode('library', '^app/library/', rooms('contract', 'files'), npm('zod')),
    onNode(
      'runtime',
      '^app/runtime/',
      rooms('contract', 'tensor', 'files', 'checkpoints', 'graph'),
      npm('zod', 'onnxruntime-node', 'onnxruntime-common'),
    ),
    onNode('loaded', '^app/loaded/', rooms('contract', 'tensor', 'checkpoints', 'graph', 'models', 'runtime')),
    onNode(
      'catalog',
      '^app/catalog/',
      rooms('contract', 'tensor', 'files', 'checkpoints', 'tokenizers', 'models', 'schedulers'),
      npm('zod'),
    ),
    onNode(
      'pipelines-node',
      '^app/pipelines/node/',
      rooms(
        'pipelines',
        'contract',
        'tensor',
        'checkpoints',
        'tokenizers',
        'schedulers',
        'media',
        'models',
        'runtime',
        'loaded',
      ),
      npm('zod'),
    ),
    onNode(
      'profile',
      '^app/profile/',
      rooms('contract', 'tensor', 'checkpoints', 'graph', 'models', 'runtime', 'loaded'),
      npm('zod'),
    ),
    forbid(
      'parity-and-bench-are-tools',
      { path: '^(app|main|renderer)/', pathNot: ['^app/(parity|bench)/', test] },
      { path: rooms('parity', 'bench') },
    ),
    forbid('bench-is-the-last', { path: '^app/parity/', pathNot: test }, { path: rooms('bench') }),
    forbid('app-is-the-bottom', { path: '^app/', pathNot: test }, { path: '^(main|renderer|e2e)/' }),
    forbid(
      'main',
      { path: '^main/', pathNot: test },
      { path: '^(app|renderer|e2e)/', pathNot: ['^app/(contract|library|files)/', pureMedia] },
    ),
    forbid(
      'renderer',
      { path: '^renderer/', pathNot: test },
      { path: '^(app|main|e2e)/', pathNot: ['^app/(contract|tensor)/', pureMedia] },
    ),
    core('page-ui', '^renderer/ui/', npm('react', '@types/react', '@base-ui/react', 'lucide-react')),
    page('page-bridge', 'bridge/', layers('bridge')),
    page('page-media', 'media/', layers('media')),
    page('page-store', 'store/', layers('store', 'bridge')),
    page('page-actions', 'actions/', layers('actions', 'store', 'bridge', 'media')),
    page('page-parts', 'parts/', layers('parts', 'ui', 'actions', 'store')),
    // A view or a dialog knows itself alone; views.ts and dialogs.ts list them for the shell.
    page('page-views', 'views/([^/]+)/', layers('views/$1', 'parts', 'ui', 'actions', 'store', 'bridge'), viewRecord),
    page('page-dialogs', 'dialogs/([^/]+)/', layers('dialogs/$1', 'parts', 'ui', 'actions', 'store')),
    page('page-tables', '(views|dialogs)/[^/]+$', layers('$1', 'store')),
    forbid(
      'page-shell-is-the-top',
      { path: '^renderer/', pathNot: ['^renderer/(shell/|main[.]tsx$)', test] },
      { path: ['^renderer/shell/', '^renderer/(views/views|dialogs/dialogs)[.]ts$'] },
    ),
    forbid('no-node-in-the-page', { path: '^renderer/', pathNot: test }, { dependencyTypes: ['core'] }),
    forbid(
      'only-the-bridge-knows-a-transport',
      { path: '^renderer/', pathNot: ['^renderer/bridge/', test] },
      { path: npm('@orpc/client', '@orpc/server', 'ws') },
    ),
    forbid(
      'only-the-runtime-runs-onnx',
      { path: '^(app|main|renderer)/', pathNot: ['^app/runtime/', test] },
      { path: npm('onnxruntime-node', 'onnxruntime-common') },
    ),
    forbid(
      'only-its-host-knows-electron',
      { path: '^(app|main|renderer)/', pathNot: '^main/(electron|dev)/' },
      { path: npm('electron') },
    ),
    forbid(
      'bundled-only-in-the-page',
      { path: '^(app|main)/', pathNot: [test, '^main/dev/'] },
      { dependencyTypes: ['npm-dev'], pathNot: npm('electron') },
    ),
    // Types may refer to each other both ways; what runs may not.
    forbid('no-circles', {}, { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } }),
    forbid('resolves', { pathNot: '^main/dev/' }, { couldNotResolve: true }),
    forbid('in-package-json', { pathNot: '^main/dev/' }, { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Types are arrows too.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.node.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
    },
  },
}
