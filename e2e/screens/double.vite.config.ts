/**
 * The renderer alone, with its in-memory double: for working on the window in a plain browser (`vite --config` this file), and for
 * the specs in `e2e/renderer`. A build needs NODE_ENV=development, or the double is left out.
 */
import path from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const repository = path.join(import.meta.dirname, '../..');

export default defineConfig({
  root: path.join(repository, 'src/renderer'),
  mode: 'development',
  plugins: [react()],
  build: { outDir: path.join(repository, 'out/renderer-double'), emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false }, cssCodeSplit: false, chunkSizeWarningLimit: 4_000 },
});
