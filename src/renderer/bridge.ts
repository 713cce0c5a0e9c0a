/**
 * The single place that touches what the preload exposes. Everything else is handed the typed client. In a plain browser during
 * development there is no preload: the in-memory double takes its place, and a production build does not contain it.
 */
import './strict-csp.ts';
import type { Client } from '../shared/contract.ts';
import { createClient, type ClientPipe } from '../shared/transport.ts';

declare global {
  interface Window {
    readonly waypost?: ClientPipe;
  }
}

export async function openBridge(): Promise<Client> {
  if (window.waypost !== undefined) return createClient(window.waypost);
  if (import.meta.env.DEV) {
    const { createDouble } = await import('./dev/double.ts');
    const double = createDouble(new URLSearchParams(window.location.search).get('scenario') ?? 'full');
    return createClient(double.pipe);
  }
  throw new Error('This page only works inside the Waypost application.');
}
