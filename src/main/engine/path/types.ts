/** What a check of the network finds out, and what it needs for that from relays, routers and the machine. */
import type { SocketAddress } from '../wire/types.ts';

/** Three values: what was not checked is never told as a no. */
export type Known<Value> = { readonly state: 'not-checked'; readonly reason: string } | { readonly state: 'known'; readonly value: Value; /** Observations it rests on. */ readonly samples: number };

/** RFC 4787 section 4.1, in the terms of RFC 5780. `none`: no translation. */
export type Mapping = 'none' | 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';
/** RFC 4787 section 5. `none`: everything comes in. */
export type Filtering = 'none' | 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';
/** How outer ports follow inner ones, or each other. */
export type PortAllocation =
  | { readonly kind: 'preserving' }
  | { readonly kind: 'sequential'; readonly delta: number }
  | { readonly kind: 'block'; readonly first: number; readonly count: number }
  | { readonly kind: 'random' };

/** Which socket a probe leaves from: the one that everything goes through, or one that was bound for this check alone. */
export type ProbeSocket = 'main' | `spare-${number}`;
/** From where the answer is asked for: the address that was asked, another port of it, or another relay on its behalf. */
export type AnswerFrom = 'asked' | 'other-port' | 'other-relay';

/** An authentic answer of an observer: how it saw our probe. */
export interface Observation {
  readonly socket: ProbeSocket;
  /** The address that the probe was sent to. */
  readonly asked: SocketAddress;
  readonly answerFrom: AnswerFrom;
  /** Where the answer came from. */
  readonly from: SocketAddress;
  /** Where the probe came from, as the observer saw it. */
  readonly seen: SocketAddress;
  readonly roundTripMs: number;
}
