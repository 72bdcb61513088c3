import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// The page, as both hosts serve it.
export default defineConfig({
  root: 'renderer',
  base: './',
  cacheDir: '../node_modules/.vite/renderer',
  plugins: [react()],
  build: {
    outDir: '../dist/renderer',
    emptyOutDir: true,
    sourcemap: true,
    // The content security policy has no data: or inline sources.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
  },
})
