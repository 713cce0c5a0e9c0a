import { describe, expect, it } from 'vitest';
import { bundleOf, device, recordOf } from '../mail/mailbox-testing.ts';
import { encodeResolved } from '../wire/resolved.ts';
import { askRelay, type Asking, type RelayAnswer } from './ask-relay.ts';
import type { RequestOutcome } from '../directed/types.ts';
import type { Instant, RequestBody } from '../wire/types.ts';

const bob = device(2);
const { identity } = bob.mailbox;
const record = recordOf([bob], 1_800_000_000);
const bundle = bundleOf(bob, 1_800_000_000);
const now: Instant = { monotonicMs: 1_000, wallMs: 1_800_000_000_000 };
const negative = (code: 'not-found' | 'busy'): RequestOutcome => ({ kind: 'negative', negative: { code, retryAfterSeconds: 0, detail: 0 } });

/** What the relay was asked, and what came of it. */
function asked(capabilities: readonly string[], outcomes: readonly RequestOutcome[], onward = true): { readonly bodies: readonly RequestBody[]; readonly answers: readonly RelayAnswer[] } {
  const bodies: RequestBody[] = [];
  const answers: RelayAnswer[] = [];
  const asking: Asking = {
    sessions: {
      view: (id) => ({
        id, address: { host: '192.0.2.1', port: 1 }, initiator: true, anonymous: true, remoteCertificate: undefined, remoteStatic: new Uint8Array(32), remoteCapabilities: capabilities, remoteBootId: new Uint8Array(8),
        establishedMs: 0, lastHeardMs: 0, roundTripsMs: [], smoothedRoundTripMs: undefined, clockOffsetMs: undefined, clockToldAheadMs: 0, sentBytes: 0, receivedBytes: 0,
      }),
    },
    directed: {
      request: (_session, body, options, at) => {
        const outcome = outcomes[bodies.length];
        bodies.push(body);
        options.done(outcome ?? { kind: 'timed-out' }, at);
      },
    },
  };
  askRelay(asking, 1, identity, onward, 4_000, now, (answer) => { answers.push(answer); });
  return { bodies, answers };
}

describe('asking a relay for somebody', () => {
  it('is one question to a relay that knows it', () => {
    const payloads = encodeResolved({ record: record.bytes, bundle: bundle.bytes });
    for (const onward of [true, false]) {
      expect(asked(['resolve'], [{ kind: 'answered', payloads }], onward)).toEqual({
        bodies: [{ verb: 'resolve', identity, onward }], answers: [{ kind: 'served', resolved: { record: record.bytes, bundle: bundle.bytes } }],
      });
    }
  });

  it('is two questions to any other', () => {
    const both = asked(['records'], [{ kind: 'answered', payloads: [record.bytes] }, { kind: 'answered', payloads: [bundle.bytes] }]);
    expect(both.bodies).toEqual([{ verb: 'record', kind: 'identity', identity, deviceId: undefined }, { verb: 'record', kind: 'prekey', identity, deviceId: bob.mailbox.deviceId }]);
    expect(both.answers).toEqual([{ kind: 'served', resolved: { record: record.bytes, bundle: bundle.bytes } }]);
    expect(asked([], [{ kind: 'answered', payloads: [record.bytes] }, negative('not-found')]).answers).toEqual([{ kind: 'served', resolved: { record: record.bytes, bundle: undefined } }]);
  });

  it('ends once, whatever comes', () => {
    for (const capabilities of [['resolve'], []]) {
      expect(asked(capabilities, [negative('not-found')]).answers).toEqual([{ kind: 'nothing', isBusy: false }]);
      expect(asked(capabilities, [negative('busy')]).answers).toEqual([{ kind: 'nothing', isBusy: true }]);
      expect(asked(capabilities, []).answers).toEqual([{ kind: 'silent' }]);
      expect(asked(capabilities, [{ kind: 'session-lost' }]).answers).toEqual([{ kind: 'silent' }]);
      expect(asked(capabilities, [{ kind: 'answered', payloads: [] }]).answers).toEqual([{ kind: 'nothing', isBusy: false }]);
      expect(asked(capabilities, [{ kind: 'answered', payloads: [new Uint8Array(4_000)] }]).answers).toEqual([{ kind: 'nothing', isBusy: false }]);
    }
  });
});
