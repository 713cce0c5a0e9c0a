/** The files of the built window: none is too large, and what the first paint does without is not fetched for it. */
import { expect, test } from '@playwright/test';
import { build, mergeConfig, type Rolldown, type UserConfig } from 'vite';
import path from 'node:path';
import electronViteConfig from '../../electron.vite.config.ts';

const repository = path.join(import.meta.dirname, '../..');
/** From here on vite calls a file too large. */
const chunkMaximumBytes = 500_000;

async function builtChunks(): Promise<readonly Rolldown.OutputChunk[]> {
  const { renderer } = electronViteConfig as { readonly renderer: UserConfig };
  const before = process.env['NODE_ENV'];
  process.env['NODE_ENV'] = 'production';
  try {
    const result = await build(mergeConfig(renderer, { configFile: false, root: path.join(repository, 'src/renderer'), mode: 'production', logLevel: 'error', build: { write: false, minify: true } }));
    const outputs = (Array.isArray(result) ? result : [result]).flatMap((one) => ('output' in one ? one.output : []));
    return outputs.filter((file) => file.type === 'chunk');
  } finally {
    if (before === undefined) delete process.env['NODE_ENV'];
    else process.env['NODE_ENV'] = before;
  }
}

/** The entry and all it imports without waiting for anything. */
function firstPaint(chunks: readonly Rolldown.OutputChunk[]): readonly Rolldown.OutputChunk[] {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const needed = new Set(chunks.filter((chunk) => chunk.isEntry));
  for (const chunk of needed) {
    for (const name of chunk.imports) {
      const imported = byName.get(name);
      if (imported !== undefined) needed.add(imported);
    }
  }
  return [...needed];
}

test('no file of the window is too large, and the first paint waits for none it can do without', async () => {
  const chunks = await builtChunks();
  expect(chunks.filter((chunk) => chunk.code.length > chunkMaximumBytes).map((chunk) => chunk.fileName)).toEqual([]);
  const modules = firstPaint(chunks).flatMap((chunk) => chunk.moduleIds);
  expect(modules.some((id) => id.endsWith('features/conversations/chats.tsx')), 'conversations are there at once').toBe(true);
  const late = ['node_modules/jsqr/', 'node_modules/qrcode/', '@base-ui/react/dialog', 'outbox-page.tsx', 'relays-page.tsx', 'peers-page.tsx', 'network-page.tsx', 'settings-page.tsx', 'words-flow.tsx', 'add-friend-dialog.tsx', 'hop-drawer.tsx'];
  for (const part of late) {
    expect(chunks.some((chunk) => chunk.moduleIds.some((id) => id.includes(part))), `${part} is in the build`).toBe(true);
    expect(modules.filter((id) => id.includes(part))).toEqual([]);
  }
  // The policy refuses compiled validators: zod must be told before the first schema, which another file may hold.
  const validation = chunks.filter((chunk) => chunk.moduleIds.some((id) => id.endsWith('strict-csp.ts')));
  expect(validation).toHaveLength(1);
  expect(validation[0]?.moduleIds.some((id) => id.includes('node_modules/zod/'))).toBe(true);
});
