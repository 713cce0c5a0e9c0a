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

/** What several parts of the window use goes in few files and not in dozens of tiny ones. The first group that matches takes a module. */
const rendererGroups = [
  // Together, because zod has to be told that nothing may be compiled at run time before the first schema is made.
  { name: 'validation', test: /[\\/](zod[\\/]|strict-csp\.ts)/, priority: 3 },
  { name: 'react', test: /[\\/]node_modules[\\/](react|react-dom|scheduler|use-sync-external-store)[\\/]/, priority: 2 },
  // Dialogs and switches, which the first paint does without; the provider of the policy it needs.
  { name: 'controls', test: /[\\/]@?(base-ui|floating-ui)[\\/](?!.*csp-)/, minShareCount: 2, priority: 1 },
  // Not what only late parts share: the dialog, for one, would bring the controls along.
  { name: 'shared', test: /^(?!.*[\\/](dialog|words-flow|qr-picker|data-table)\.tsx)/, minShareCount: 2 },
];

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
      // All styles are 30 kB and there before the first paint: a page that is fetched later is never without them.
      cssCodeSplit: false,
      rolldownOptions: {
        input: { index: path.join(root, 'src/renderer/index.html') },
        output: {
          codeSplitting: { groups: rendererGroups },
        },
      },
    },
  },
});
