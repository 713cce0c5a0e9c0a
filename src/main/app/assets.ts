/**
 * Answers requests for the application's own files from one folder. The address comes from a page and is hostile: it is decoded once,
 * resolved, and checked against the folder by relative path, never by prefix.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { contentSecurityPolicy } from './content-security-policy.ts';
import { appHost, appScheme } from './origin.ts';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};

export type AssetPath = { readonly kind: 'file'; readonly file: string; readonly contentType: string } | { readonly kind: 'refused'; readonly status: 400 | 403 | 404 };

/**
 * Maps an address to a file below `root`.
 *
 * URL parsing removes plain and percent-encoded dot segments; what is left to catch are encoded slashes, backslashes and NUL.
 */
export function resolveAsset(root: string, address: string): AssetPath {
  const url = URL.parse(address);
  if (url?.protocol !== `${appScheme}:` || url.host !== appHost) return { kind: 'refused', status: 403 };
  let decoded: string;
  try {
    decoded = decodeURIComponent(url.pathname);
  } catch {
    return { kind: 'refused', status: 400 };
  }
  if (decoded.includes('\0') || decoded.includes('\\') || decoded.includes('%') || decoded.split('/').includes('..')) return { kind: 'refused', status: 400 };
  const file = path.resolve(root, `.${decoded === '/' ? '/index.html' : decoded}`);
  const relative = path.relative(root, file);
  if (relative === '' || relative.startsWith('..') || path.isAbsolute(relative)) return { kind: 'refused', status: 403 };
  // Only kinds of files that the renderer build writes: no source maps, no extensionless files.
  const contentType = contentTypes[path.extname(file)];
  return contentType === undefined ? { kind: 'refused', status: 404 } : { kind: 'file', file, contentType };
}

const commonHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
} as const;

const refusal = (status: number): Response => new Response('', { status, headers: { ...commonHeaders, 'content-type': 'text/plain; charset=utf-8' } });

/** Serves one request; never rejects. */
export async function serveAsset(root: string, request: { readonly url: string; readonly method: string }): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return refusal(405);
  const asset = resolveAsset(root, request.url);
  if (asset.kind === 'refused') return refusal(asset.status);
  try {
    const bytes = await readFile(asset.file);
    return new Response(request.method === 'HEAD' ? null : new Uint8Array(bytes), { headers: { ...commonHeaders, 'content-type': asset.contentType } });
  } catch {
    return refusal(404);
  }
}
