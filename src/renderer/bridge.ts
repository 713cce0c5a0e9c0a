/**
 * The single place that touches what the preload exposes. Everything else is handed the typed client. In a plain browser during
 * development there is no preload: the in-memory double takes its place, and a production build does not contain it.
 */
import './strict-csp.ts';
import type { Client } from '../shared/contract.ts';
import { createClient, type ClientPipe } from '../shared/transport.ts';
import { createFileGrants, type FileGrantPipe, type FileGrants } from './file-grants.ts';

declare global {
  interface Window {
    readonly waypost?: ClientPipe & FileGrantPipe;
  }
}

export interface Bridge {
  readonly client: Client;
  readonly files: FileGrants;
}

export async function openBridge(): Promise<Bridge> {
  if (window.waypost !== undefined) return { client: createClient(window.waypost), files: createFileGrants(window.waypost) };
  if (import.meta.env.DEV) {
    const { createDouble } = await import('./dev/double.ts');
    const double = createDouble(new URLSearchParams(window.location.search).get('scenario') ?? 'full');
    return { client: createClient(double.pipe), files: createFileGrants(double.files) };
  }
  throw new Error('This page only works inside the Waypost application.');
}
