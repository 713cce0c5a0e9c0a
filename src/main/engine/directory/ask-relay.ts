/** Asks one relay for somebody's records: by `resolve` where it knows that, by two `record` questions where it does not. */
import { resolveCapability } from '../overlay/capabilities.ts';
import { decodeIdentityRecord } from '../wire/record.ts';
import { decodeResolved } from '../wire/resolved.ts';
import type { Directed } from '../directed/types.ts';
import type { SessionId, Sessions } from '../session/types.ts';
import type { Resolved } from '../wire/resolved.ts';
import type { Instant, PublicKeyHex, RequestBody } from '../wire/types.ts';

export type RelayAnswer =
  | { readonly kind: 'served'; readonly resolved: Resolved }
  /** It has nothing, does not want to say, or what it says is no answer. */
  | { readonly kind: 'nothing'; readonly isBusy: boolean }
  | { readonly kind: 'silent' };

export interface Asking { readonly sessions: Pick<Sessions, 'view'>; readonly directed: Pick<Directed, 'request'> }

const nothing: RelayAnswer = { kind: 'nothing', isBusy: false };

export const answersResolve = (asking: Asking, sessionId: SessionId): boolean => asking.sessions.view(sessionId)?.remoteCapabilities.includes(resolveCapability) === true;

/** @param onward it may ask its peers. */
export function askRelay(asking: Asking, sessionId: SessionId, identity: PublicKeyHex, onward: boolean, deadlineMs: number, now: Instant, done: (answer: RelayAnswer, now: Instant) => void): void {
  const request = (body: RequestBody, from: Instant, answered: (payloads: readonly Uint8Array[], now: Instant) => void): void => {
    asking.directed.request(sessionId, body, {
      deadlineMs: Math.max(0, deadlineMs - (from.monotonicMs - now.monotonicMs)),
      done: (outcome, at) => {
        if (outcome.kind === 'answered') answered(outcome.payloads, at);
        else done(outcome.kind === 'negative' ? { kind: 'nothing', isBusy: outcome.negative.code === 'busy' } : { kind: 'silent' }, at);
      },
    }, from);
  };
  if (answersResolve(asking, sessionId)) {
    request({ verb: 'resolve', identity, onward }, now, (payloads, at) => {
      const resolved = decodeResolved(payloads);
      done(resolved === undefined ? nothing : { kind: 'served', resolved }, at);
    });
    return;
  }
  request({ verb: 'record', kind: 'identity', identity, deviceId: undefined }, now, ([record], at) => {
    const device = record === undefined ? undefined : decodeIdentityRecord(record)?.devices[0];
    if (record === undefined || device === undefined) { done(nothing, at); return; }
    const kept = record.slice();
    const body: RequestBody = { verb: 'record', kind: 'prekey', identity, deviceId: device.deviceId };
    asking.directed.request(sessionId, body, {
      deadlineMs: Math.max(0, deadlineMs - (at.monotonicMs - now.monotonicMs)),
      done: (outcome, then) => { done({ kind: 'served', resolved: { record: kept, bundle: outcome.kind === 'answered' ? outcome.payloads[0] : undefined } }, then); },
    }, at);
  });
}
