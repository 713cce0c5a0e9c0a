/** Builds the renderer with its double and serves it under the policy of the application, so that a page that needs more fails here. */
import path from 'node:path';
import { build, preview } from 'vite';
import { contentSecurityPolicy } from '../../src/main/app/content-security-policy.ts';

export interface ServedDouble {
  /** Base address, without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

const configFile = path.join(import.meta.dirname, 'double.vite.config.ts');

export async function serveDouble(): Promise<ServedDouble> {
  process.env['NODE_ENV'] = 'development';
  await build({ configFile, logLevel: 'warn' });
  const server = await preview({ configFile, logLevel: 'warn', preview: { host: '127.0.0.1', port: 0, headers: { 'Content-Security-Policy': contentSecurityPolicy } } });
  const url = server.resolvedUrls?.local[0]?.replace(/\/$/, '');
  if (url === undefined) throw new Error('The preview server has no address.');
  return { url, close: () => server.close() };
}
