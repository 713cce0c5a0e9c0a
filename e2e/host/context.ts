/** What the host knows about the application it runs, set once by run.ts before any other part is loaded. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isRecord, textField, type Json } from './json.ts';

export interface HostContext {
  /** Folder with the application's package.json. */
  readonly root: string;
  readonly manifest: Json;
  /** Port for DevTools; 0 lets Chromium choose. */
  readonly debuggingPort: number;
  /** Shows real windows instead of drawing in memory. */
  readonly isHeaded: boolean;
}

let current: HostContext | undefined;

export function setHostContext(context: HostContext): void {
  current = context;
}

export function hostContext(): HostContext {
  if (current === undefined) throw new Error('The host has not been started through run.ts.');
  return current;
}

export function readManifest(root: string): Json {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    return isRecord(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

/** As Electron names an application: product name, name, or its own. */
export function applicationName(manifest: Json): string {
  return textField(manifest, 'productName') || textField(manifest, 'name') || 'Electron';
}
