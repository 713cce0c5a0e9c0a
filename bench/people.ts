/** Whole visors for measuring: the same runtime as the app's, with a relay added and each other's invite accepted. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { createClient } from '../src/shared/transport.ts';
import { formatRelayHint } from '../src/main/engine/wire/relay-hint.ts';
import { startVisorRuntime, type VisorRuntime } from '../src/main/host/visor-runtime.ts';
import { random } from './endpoint.ts';
import type { Client } from '../src/shared/contract.ts';
import type { Change } from '../src/shared/views.ts';
import type { RelayHint } from '../src/main/engine/wire/types.ts';

export interface VisorFolder { readonly directory: string; readonly identitySecret: Uint8Array; readonly localKey: Uint8Array; readonly name: string }
export interface Visor { readonly runtime: VisorRuntime; readonly client: Client; readonly folder: VisorFolder }

export function visorFolder(parent: string, name: string): VisorFolder {
  const directory = path.join(parent, name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return { directory, identitySecret: random(32), localKey: random(32), name };
}

export async function startVisor(folder: VisorFolder): Promise<Visor> {
  const runtime = await startVisorRuntime({
    directory: folder.directory, identitySecret: folder.identitySecret, localKey: folder.localKey, initialName: folder.name,
    visor: true, relay: undefined, listenHost: '127.0.0.1', listenPort: 0, confirmClock: false, notices: [],
  });
  const client = createClient(runtime.pipe);
  // Patches begin with the first snapshot.
  await client.state.snapshot();
  return { runtime, client, folder };
}

/** Resolves with the first change that satisfies the condition. */
export function whenChange(visor: Visor, satisfied: (change: Change) => boolean): Promise<Change> {
  return new Promise((resolve) => {
    const stop = visor.client.state.onPatch((patch) => {
      const found = patch.changes.find(satisfied);
      if (found === undefined) return;
      stop();
      resolve(found);
    });
  });
}

export async function joinRelay(visor: Visor, relay: RelayHint): Promise<void> {
  const connected = whenChange(visor, (change) => change.kind === 'connection' && change.value.relaysConnected > 0);
  await visor.client.relays.add({ hint: formatRelayHint(relay) });
  await connected;
}
