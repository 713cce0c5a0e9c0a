/** Registers mailboxes at a relay with tokens of their own, as visors do, so that a benchmark has somewhere to deposit. */
import { createIdentityRecord, createPrekeyBundle } from '../src/main/engine/wire/record.ts';
import { answered, crypto, Endpoint, newPerson, random, type Person } from './endpoint.ts';
import type { RelayHint } from '../src/main/engine/wire/types.ts';

export interface TestMailbox {
  readonly owner: Person;
  readonly tokens: readonly Uint8Array[];
}

export async function registerMailbox(relay: RelayHint, tokenCount: number): Promise<TestMailbox> {
  const owner = newPerson();
  const endpoint = new Endpoint(owner);
  await endpoint.open();
  const session = await endpoint.dial(relay, false);
  const nowSeconds = Math.floor(Date.now() / 1000);
  const record = createIdentityRecord({ identitySecret: owner.secret, sequence: nowSeconds, notAfterSeconds: nowSeconds + 86_400, devices: [owner.certificate], relays: [relay] });
  const bundle = createPrekeyBundle(crypto, {
    identity: owner.publicKey, deviceId: owner.deviceId, prekeyId: 1, prekey: crypto.x25519PublicKey(random(32)), createdSeconds: nowSeconds, ed25519Seed: owner.ed25519Seed,
  });
  answered(await endpoint.ask(session, { verb: 'publish', kind: 'identity', object: record.bytes }));
  answered(await endpoint.ask(session, { verb: 'publish', kind: 'prekey', object: bundle.bytes }));
  answered(await endpoint.ask(session, { verb: 'register', tokensVersion: 1 }));
  const tokens = Array.from({ length: tokenCount }, () => random(16));
  answered(await endpoint.ask(session, { verb: 'tokens', version: 1, reset: true, tokens: tokens.map((token) => ({ granted: true, hash: crypto.blake3(token) })) }));
  await endpoint.close();
  return { owner, tokens };
}
