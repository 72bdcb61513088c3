import { existsSync } from 'node:fs'
import { defineConfig } from 'vite'

const processes = {
  engine: 'app/engine/main.ts',
  'engine-worker': 'app/engine/worker.ts',
  parity: 'app/parity/main.ts',
  cli: 'main/cli/main.ts',
  serve: 'main/serve/main.ts',
  electron: 'main/electron/main.ts',
  ...(existsSync('app/bench/main.ts') ? { bench: 'app/bench/main.ts' } : {}),
}
const preload = { preload: 'main/electron/preload.ts' }

// What Node runs: the processes as ES modules that import their packages from node_modules, and, with `--mode preload`,
// Electron's preload as one CommonJS file, as its sandbox wants it.
export default defineConfig(({ mode }) => {
  const isPreload = mode === 'preload'
  return {
    cacheDir: 'node_modules/.vite/node',
    ssr: isPreload ? { noExternal: true, external: ['electron'] } : { external: true },
    build: {
      ssr: true,
      target: 'node20',
      outDir: 'dist/node',
      emptyOutDir: !isPreload,
      sourcemap: true,
      minify: false,
      copyPublicDir: false,
      rolldownOptions: {
        input: isPreload ? preload : processes,
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
