/** Delay of the main thread's event loop while 1,000 letters a second come in: engine in its worker, storage in its own, as in the app. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fork } from 'node:child_process';
import path from 'node:path';
import { startVisorHost } from '../src/main/host/visor-host.ts';
import { createClient } from '../src/shared/transport.ts';
import { formatRelayHint } from '../src/main/engine/wire/relay-hint.ts';
import { parseInvite } from '../src/main/engine/wire/link.ts';
import { visorFolder, whenChange } from './people.ts';
import { startRelay, temporaryFolder } from './relay-process.ts';
import type { Figure } from './run.ts';

const letters = 4_000;
const tokenCount = 32;

export interface FloodTask { readonly relay: { readonly publicKey: string; readonly host: string; readonly port: number }; readonly recipient: string; readonly tokens: readonly string[]; readonly letters: number }

export async function mainThreadDelay(): Promise<readonly Figure[]> {
  const relay = await startRelay();
  const folder = visorFolder(temporaryFolder(), 'bob');
  const runtime = await startVisorHost({
    directory: folder.directory, identitySecret: folder.identitySecret, localKey: folder.localKey, initialName: 'bob', visor: true, relay: undefined,
    listenHost: '127.0.0.1', listenPort: 0, confirmClock: false, notices: [],
  });
  const client = createClient(runtime.pipe);
  await client.state.snapshot();
  const visor = { runtime, client, folder };
  const connected = whenChange(visor, (change) => change.kind === 'connection' && change.value.relaysConnected > 0);
  await client.relays.add({ hint: formatRelayHint(relay.hint) });
  await connected;
  const tokens: string[] = [];
  for (let index = 0; index < tokenCount; index += 1) {
    const invite = parseInvite((await client.invites.create()).link);
    if (invite.ok && invite.invite.token !== undefined) tokens.push(Buffer.from(invite.invite.token).toString('hex'));
  }
  const seen = new Set<string>();
  const all = new Promise<void>((resolve) => {
    client.state.onPatch((patch) => {
      for (const change of patch.changes) if (change.kind === 'message' && change.value.direction === 'in') seen.add(change.value.id);
      if (seen.size >= letters) resolve();
    });
  });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const startMs = performance.now();
  const flood = fork(path.join(import.meta.dirname, 'flood.ts'), { execArgv: [] });
  flood.send({ relay: relay.hint, recipient: runtime.publicKey, tokens, letters } satisfies FloodTask);
  await all;
  const seconds = (performance.now() - startMs) / 1000;
  delay.disable();
  await runtime.stop();
  relay.stop();
  return [
    { name: "main thread's event loop delay p99 under load", value: delay.percentile(99) / 1e6, unit: 'ms', aim: 'under 20' },
    { name: 'letters a second that came in meanwhile', value: letters / seconds, unit: 'letters/s', aim: '1000' },
  ];
}
