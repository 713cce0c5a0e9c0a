/** 1,000 letters wait at a relay; their recipient comes back: from its first connection until all are committed and announced. */
import { parseInvite } from '../src/main/engine/wire/link.ts';
import { joinRelay, startVisor, visorFolder } from './people.ts';
import { depositLetters } from './letters-for.ts';
import { startRelay, temporaryFolder } from './relay-process.ts';
import type { Figure } from './run.ts';

const letters = 1_000;
/** 128 letters may wait under one token. */
const tokenCount = 8;

export async function reconnect(): Promise<readonly Figure[]> {
  const relay = await startRelay();
  const bob = await startVisor(visorFolder(temporaryFolder(), 'bob'));
  const tokens: Uint8Array[] = [];
  for (let index = 0; index < tokenCount; index += 1) {
    const invite = parseInvite((await bob.client.invites.create()).link);
    if (invite.ok && invite.invite.token !== undefined) tokens.push(invite.invite.token);
  }
  // Registering tells the relay of all of them at once; told one after the other, the last would be lost with the end of the visor.
  await joinRelay(bob, relay.hint);
  const recipient = bob.runtime.publicKey;
  await bob.runtime.stop();
  await depositLetters(relay.hint, recipient, tokens, Array.from({ length: letters }, (_, index) => `waiting letter ${String(index)}`));
  const startMs = performance.now();
  const back = await startVisor(bob.folder);
  const startedMs = performance.now();
  const seen = new Set<string>();
  await new Promise<void>((resolve) => {
    back.client.state.onPatch((patch) => {
      for (const change of patch.changes) if (change.kind === 'message' && change.value.direction === 'in') seen.add(change.value.id);
      if (seen.size >= letters) resolve();
    });
  });
  const endMs = performance.now();
  await back.runtime.stop();
  relay.stop();
  return [
    { name: '1,000 waiting letters delivered after reconnect', value: (endMs - startedMs) / 1000, unit: 's', aim: 'under 1' },
    { name: 'the same, with the start of the visor', value: (endMs - startMs) / 1000, unit: 's', aim: 'none' },
  ];
}
