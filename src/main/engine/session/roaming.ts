/** Follows a peer to a new address: answers go there as far as its own bytes reach, everything else only after it answered a challenge. */
import { equalBytes } from '../wire/bytes.ts';
import { encodeRequest, transportOverheadBytes } from '../wire/frame.ts';
import { isCircuitAddress } from '../circuits/tunnel.ts';
import { candidateMs } from './constants.ts';
import { sameAddress, type Instant, type SocketAddress } from '../wire/types.ts';
import { isTcpAddress } from '../wire/tcp-address.ts';
import { noLongerAwaited, type Candidate, type Link } from './link.ts';
import type { SessionTable } from './sessions.ts';

/** Request header 18 and random 8, in a transport datagram. */
const challengeDatagramBytes = 18 + 8 + transportOverheadBytes;
/** A lost challenge is repeated when more comes from there. */
const challengeAgainMs = 500;

export class Roaming {
  readonly #table: SessionTable;
  constructor(table: SessionTable) { this.#table = table; }

  /** The newest authentic packet came from there. */
  heardFrom(link: Link, from: SocketAddress, sizeBytes: number, now: Instant): void {
    // Circuits go through such sessions: a relay that spoke out of one would have its session sent through itself.
    if (isCircuitAddress(from)) return;
    if (sameAddress(from, link.address)) { dismiss(link); return; }
    const random = this.#table.configuration.random;
    if (link.candidate === undefined || now.monotonicMs - link.candidate.sinceMs > candidateMs || !sameAddress(link.candidate.address, from)) {
      dismiss(link);
      link.candidate = { address: from, challenge: random(8), requestId: random(16), sinceMs: now.monotonicMs, receivedBytes: 0, sentBytes: 0, challengedMs: Number.NEGATIVE_INFINITY };
    }
    link.candidate.receivedBytes += sizeBytes;
    this.#challenge(link, link.candidate, now);
  }

  /** Where the next packet goes; its bytes are counted against a candidate's budget. */
  destination(link: Link, sizeBytes: number, now: Instant): SocketAddress {
    const candidate = link.candidate;
    if (candidate === undefined) return link.address;
    if (now.monotonicMs - candidate.sinceMs > candidateMs) { dismiss(link); return link.address; }
    if (candidate.sentBytes + sizeBytes > candidate.receivedBytes) return link.address;
    candidate.sentBytes += sizeBytes;
    return candidate.address;
  }

  /** True when the frame was the answer to a challenge. */
  handleFrame(link: Link, from: SocketAddress, frame: Uint8Array): boolean {
    const candidate = link.candidate;
    if (candidate === undefined || frame[0] !== 2 || frame.length !== 22 + 8 || !equalBytes(frame.subarray(1, 17), candidate.requestId)) return false;
    if (!sameAddress(from, candidate.address) || !equalBytes(frame.subarray(22), candidate.challenge)) return true;
    link.address = candidate.address;
    dismiss(link);
    this.#table.output({ kind: 'moved', sessionId: link.id, address: link.address });
    return true;
  }

  #challenge(link: Link, candidate: Candidate, now: Instant): void {
    if (now.monotonicMs - candidate.challengedMs < challengeAgainMs || (!isTcpAddress(candidate.address) && candidate.sentBytes + challengeDatagramBytes > candidate.receivedBytes)) return;
    candidate.challengedMs = now.monotonicMs;
    // A connection over TCP goes to nobody who did not ask for it: the budget is for the answer, which brings the session there a round trip sooner.
    if (!isTcpAddress(candidate.address)) candidate.sentBytes += challengeDatagramBytes;
    this.#table.sendFrameTo(link, candidate.address, encodeRequest(candidate.requestId, { verb: 'challenge', random: candidate.challenge }));
  }
}

function dismiss(link: Link): void {
  if (link.candidate !== undefined) noLongerAwaited(link, link.candidate.requestId);
  link.candidate = undefined;
}
