import { describe, expect, it } from 'vitest';
import { bodySizeBuckets, letterHeaderBytes, sealLetter } from '../mail/letter.ts';
import { nobleCrypto } from '../noble-crypto.ts';
import { toHex } from './bytes.ts';
import { certificateBytes, createCertificate } from './certificate.ts';
import { contentMaximumBytes, encodeContent, receiptItemsMaximum } from './content.ts';
import {
  datagramMaximumBytes, encodeRequest, encodeResponse, fragmentBytes, frameMaximumBytes, requestHeaderBytes, responseHeaderBytes, responsePayloadMaximumBytes,
  transportOverheadBytes,
} from './frame.ts';
import { identityPublicKey } from './identity.ts';
import { signReceipts, signedReceiptMaximumBytes, storageReceiptBytes } from './receipt.ts';
import { createIdentityRecord, createPrekeyBundle, devicesMaximum, identityRecordMaximumBytes, prekeyBundleBytes } from './record.ts';
import { listEntrySize, listFragmentHeaderBytes } from './responses.ts';
import { secretOf } from './codec-testing.ts';
import type { ListEntry, RequestBody } from './types.ts';
import { pullCountMaximum, requestEntriesMaximum } from './verbs.ts';

const identitySecret = secretOf(1);
const identity = identityPublicKey(identitySecret);
const deviceIdOf = (fill: number): string => toHex(new Uint8Array(16).fill(fill));
const certificateOf = (fill: number) => createCertificate({
  identitySecret, deviceId: deviceIdOf(fill), x25519: nobleCrypto.x25519PublicKey(secretOf(2)), ed25519: nobleCrypto.ed25519PublicKey(secretOf(3)),
  notBeforeSeconds: 0, notAfterSeconds: 1,
});
const bundle = createPrekeyBundle(nobleCrypto, {
  identity, deviceId: deviceIdOf(1), prekeyId: 1, prekey: nobleCrypto.x25519PublicKey(secretOf(4)), createdSeconds: 0, ed25519Seed: secretOf(3),
});
const letterOf = (content: Uint8Array) => {
  const sealed = sealLetter({
    crypto: nobleCrypto, random: (sizeBytes) => new Uint8Array(sizeBytes).fill(5), senderStatic: { secretKey: secretOf(2), publicKey: nobleCrypto.x25519PublicKey(secretOf(2)) },
    senderCertificate: certificateOf(1).bytes, recipient: { identity, deviceId: deviceIdOf(1) }, bundle, messageId: new Uint8Array(16), destinationPort: 1,
    sourcePort: 1, sequence: 1, sentAtMs: 1, ttlSeconds: 1, content,
  });
  if (sealed === 'too-large') throw new Error('the content was meant to fit');
  return sealed;
};
const short = letterOf(encodeContent({ kind: 'text', text: 'hello' }));
const requestId = new Uint8Array(16);

describe('the byte budget', () => {
  it('of a fragment, tunnelled once, is 1,173 of 1,200 bytes (architecture 11)', () => {
    const tunnelBytes = 1 + 4;
    const pairBytes = 2 * 32;
    const together = transportOverheadBytes + tunnelBytes + transportOverheadBytes + responseHeaderBytes + fragmentBytes + pairBytes;
    expect([transportOverheadBytes, tunnelBytes, responseHeaderBytes, fragmentBytes, pairBytes]).toEqual([29, 5, 22, 1_024, 64]);
    expect(together).toBe(1_173);
    expect(together).toBeLessThanOrEqual(datagramMaximumBytes);
  });

  it('of a frame is what a transport datagram leaves', () => {
    expect([datagramMaximumBytes, frameMaximumBytes, responsePayloadMaximumBytes, requestHeaderBytes]).toEqual([1_200, 1_171, 1_149, 18]);
    expect(encodeResponse(requestId, 0, true, new Uint8Array(0))).toHaveLength(responseHeaderBytes);
    expect(encodeRequest(requestId, { verb: 'echo' })).toHaveLength(requestHeaderBytes);
  });
});

describe('the sizes of docs/protocol.md', () => {
  it('of signed objects hold', () => {
    expect([certificateBytes, certificateOf(1).bytes.length]).toEqual([194, 194]);
    expect([prekeyBundleBytes, bundle.bytes.length]).toEqual([158, 158]);
    const [receipt] = signReceipts(nobleCrypto, [new Uint8Array(storageReceiptBytes)], secretOf(3));
    expect([storageReceiptBytes, receipt?.length]).toEqual([102, 171]);
  });

  it('of letters hold', () => {
    expect([letterHeaderBytes, short.header.length]).toEqual([453, 453]);
    expect(bodySizeBuckets).toEqual([256, 1_024, 4_096, 16_384, 66_560]);
    expect(short.body).toHaveLength(256);
    expect(letterOf(new Uint8Array(contentMaximumBytes)).body).toHaveLength(66_560);
    const item = { messageId: new Uint8Array(16), atMs: 1 };
    expect(letterOf(encodeContent({ kind: 'delivered', items: Array.from({ length: receiptItemsMaximum }, () => item) })).body).toHaveLength(4_096);
  });

  it('let the largest identity record through a response and a publish', () => {
    const relays = [1, 2, 3].map((port) => ({ publicKey: identity, host: `${'a'.repeat(60)}.abc`, port }));
    const devices = Array.from({ length: devicesMaximum }, (_, index) => certificateOf(index + 1));
    const one = createIdentityRecord({ identitySecret, sequence: 1, notAfterSeconds: 1, devices: devices.slice(0, 1), relays });
    const most = createIdentityRecord({ identitySecret, sequence: 1, notAfterSeconds: 1, devices, relays });
    expect([one.bytes.length, most.bytes.length, identityRecordMaximumBytes]).toEqual([610, 998, 998]);
    expect(encodeResponse(requestId, 0, true, most.bytes).length).toBeLessThanOrEqual(frameMaximumBytes);
    expect(encodeRequest(requestId, { verb: 'publish', kind: 'identity', object: most.bytes }).length).toBeLessThanOrEqual(frameMaximumBytes);
  });

  it('let the fullest requests and receipts through', () => {
    const hash = new Uint8Array(32).fill(1);
    const many = <Value>(value: Value): Value[] => Array.from({ length: requestEntriesMaximum }, () => value);
    const mailbox = { identity, deviceId: deviceIdOf(1) };
    const bodies: readonly RequestBody[] = [
      { verb: 'tokens', version: 1, reset: true, tokens: many({ granted: true, hash }) }, { verb: 'ack', letters: many({ letterId: hash, verdict: 'committed' }) },
      { verb: 'status', mailbox, letterIds: many(hash) },
      { verb: 'pull', name: { root: hash, length: 1 }, groupShift: 0, first: 0, count: pullCountMaximum, bitmap: new Uint8Array(8).fill(255), proof: true, nonce: new Uint8Array(8), hopLimit: 8 },
    ];
    for (const body of bodies) expect(encodeRequest(requestId, body).length).toBeLessThanOrEqual(frameMaximumBytes);
    expect(signedReceiptMaximumBytes).toBeLessThanOrEqual(responsePayloadMaximumBytes);
  });

  it('let the smallest letter be deposited inline and listed inline', () => {
    const deposit = encodeRequest(requestId, {
      verb: 'deposit', mailbox: { identity, deviceId: deviceIdOf(1) }, token: new Uint8Array(16).fill(1), lane: 'letter', ttlSeconds: 1, purgeHash: short.purgeHash,
      bodyRoot: short.bodyRoot, bodyLength: short.body.length, header: short.header, inlineBody: short.body,
    });
    const fixedBytes = 33 + 16 + 16 + 1 + 4 + 32 + 32 + 4 + 2;
    expect(deposit).toHaveLength(requestHeaderBytes + fixedBytes + letterHeaderBytes + 256);
    const entry: ListEntry = {
      sequence: 1, letterId: short.letterId, lane: 'letter', remainingSeconds: 1, heldForSeconds: 1, bodyRoot: short.bodyRoot, bodyLength: short.body.length,
      header: short.header, inlineBody: short.body,
    };
    expect(listFragmentHeaderBytes + listEntrySize(entry)).toBeLessThanOrEqual(responsePayloadMaximumBytes);
    // Without bodies two fit.
    expect(listFragmentHeaderBytes + 2 * listEntrySize({ ...entry, inlineBody: undefined })).toBeLessThanOrEqual(responsePayloadMaximumBytes);
  });

  it('let whatever fits a deposit fit a list fragment too', () => {
    const emptyDeposit = encodeRequest(requestId, {
      verb: 'deposit', mailbox: { identity, deviceId: deviceIdOf(1) }, token: undefined, lane: 'letter', ttlSeconds: 1, purgeHash: short.purgeHash,
      bodyRoot: short.bodyRoot, bodyLength: 1, header: new Uint8Array(0), inlineBody: undefined,
    }).length;
    const emptyEntry = listEntrySize({
      sequence: 1, letterId: short.letterId, lane: 'letter', remainingSeconds: 1, heldForSeconds: 1, bodyRoot: short.bodyRoot, bodyLength: 1, header: new Uint8Array(0),
      inlineBody: undefined,
    });
    expect(frameMaximumBytes - emptyDeposit).toBeLessThanOrEqual(responsePayloadMaximumBytes - listFragmentHeaderBytes - emptyEntry);
  });
});
