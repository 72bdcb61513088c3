import { defineConfig } from 'vite'

// Folders of dist/ by mode: what is shipped (`production`), the tools of this repository, and what only tests run.
const processes = {
  production: {
    engine: 'app/engine/main.ts',
    'engine-worker': 'app/engine/worker.ts',
    'engine-quick': 'app/engine/quick.ts',
    cli: 'main/cli/main.ts',
    serve: 'main/serve/main.ts',
    electron: 'main/electron/main.ts',
  },
  preload: { preload: 'main/electron/preload.ts' },
  tools: { parity: 'app/parity/main.ts', bench: 'app/bench/main.ts' },
  test: { engine: 'main/studio/test-engine.ts' },
}
const folders = { production: 'node', preload: 'node', tools: 'tools', test: 'test' }

// What Node runs: the processes as ES modules that import their packages from node_modules, and, with `--mode preload`,
// Electron's preload as one CommonJS file, as its sandbox wants it.
export default defineConfig(({ mode }) => {
  const isPreload = mode === 'preload'
  const part = mode as keyof typeof processes
  return {
    cacheDir: 'node_modules/.vite/node',
    ssr: isPreload ? { noExternal: true, external: ['electron'] } : { external: true },
    build: {
      ssr: true,
      target: 'node20',
      outDir: `dist/${folders[part]}`,
      emptyOutDir: !isPreload,
      sourcemap: true,
      minify: false,
      copyPublicDir: false,
      rolldownOptions: {
        input: processes[part],
        output: {
          format: isPreload ? 'cjs' : 'es',
          entryFileNames: isPreload ? '[name].cjs' : '[name].js',
          // Beside the entries, so that a path relative to import.meta.dirname means the same in all of them.
          chunkFileNames: '[name]-[hash].js',
        },
      },
    },
  }
})
