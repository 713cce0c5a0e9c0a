/** Three builds: the main process (with its worker threads as further entries), the sandboxed preload, and the renderer. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';
import type { Plugin } from 'vite';
import { metaContentSecurityPolicy } from './src/main/app/content-security-policy.ts';

const root = import.meta.dirname;

const mainEntries: Record<string, string> = {
  index: 'src/main/index.ts',
  'engine-worker': 'src/main/host/engine-worker.ts',
  'storage-worker': 'src/main/host/storage-worker.ts',
  'echo-process': 'src/main/host/echo-process.ts',
};

const presentMainEntries = Object.fromEntries(
  Object.entries(mainEntries)
    .map(([name, file]) => [name, path.join(root, file)] as const)
    .filter(([, file]) => existsSync(file)),
);

/** Writes the policy into the built page as well; the development server needs inline scripts, so it goes without. */
function contentSecurityPolicyPlugin(): Plugin {
  return {
    name: 'waypost-content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [{ tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: metaContentSecurityPolicy }, injectTo: 'head-prepend' }],
  };
}

export default defineConfig({
  main: {
    build: { sourcemap: true, rolldownOptions: { input: presentMainEntries } },
  },
  preload: {
    build: {
      // A sandboxed preload can require nothing but electron: everything it imports is bundled into one CommonJS file.
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: path.join(root, 'src/preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    plugins: [react(), contentSecurityPolicyPlugin()],
    build: {
      minify: true,
      // Inlined data: URLs are refused by the content security policy for everything but images.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: { input: { index: path.join(root, 'src/renderer/index.html') } },
    },
  },
});
