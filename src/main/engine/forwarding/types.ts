/** What the parts of interest forwarding say to each other and to their caller. Nothing of the wire's layout: names are ids as text, payloads opaque. */
import type { ProofPart } from '../lockstep/codec.ts';
import type { SessionId } from '../session/types.ts';

/** What is asked for: the fragment of a number, or the proof of the leaf of a number. */
export type ItemKind = 'fragment' | 'proof';
/** What one response carries. A proof comes whole, or as its path and what lies ahead, in any order. */
export type ResponsePart = 'fragment' | ProofPart;

export const kindOfPart = (part: ResponsePart): ItemKind => (part === 'fragment' ? 'fragment' : 'proof');

/** One number for kind and item, for maps of one name. Items are unsigned 32-bit numbers. */
export const itemKey = (kind: ItemKind, item: number): number => item * 2 + (kind === 'proof' ? 1 : 0);

/** A request as it came, its items unpacked. */
export interface Interest {
  readonly from: SessionId;
  /** The 16-byte id of (root, length, groupShift) as text. Whoever calls has checked that the items exist in a content of that length. */
  readonly nameId: string;
  readonly kind: ItemKind;
  readonly items: readonly number[];
  /** 8 random bytes as text. The requester draws new ones for each request, repeats included; forwarders hand them on. */
  readonly nonce: string;
  /** How many more sessions it may cross. */
  readonly hopLimit: number;
}

/** What is to be asked of a holder. The items may lie further apart than one request can name. */
export interface Forward {
  readonly to: SessionId;
  readonly nameId: string;
  readonly kind: ItemKind;
  readonly items: readonly number[];
  readonly nonce: string;
  readonly hopLimit: number;
}

/** Items that somebody waits for and that nobody is going to answer any more. */
export interface Stranded {
  readonly nameId: string;
  readonly kind: ItemKind;
  readonly items: readonly number[];
  readonly nonce: string;
  readonly hopLimit: number;
  /** How many sessions they have been forwarded to. */
  readonly tries: number;
  /** Whom not to ask: those that were asked, and some of those that wait. */
  readonly except: readonly SessionId[];
}

/** A session that has not answered in time, or was overtaken by another that was asked later. */
export interface Overdue {
  readonly nameId: string;
  readonly session: SessionId;
  /** When the earliest of the items was asked for. */
  readonly askedAtMs: number;
  readonly items: number;
}

/** Which items a negative answer is about; without it, it is about the whole name. */
export interface NegativeScope { readonly kind: ItemKind; readonly items: readonly number[] }

/** Monotonic milliseconds. */
export interface DueTime { readonly atMs: number; readonly reason: string }

/** The earlier of two. */
export const earlier = (left: DueTime | undefined, right: DueTime | undefined): DueTime | undefined =>
  (left === undefined || (right !== undefined && right.atMs < left.atMs) ? right : left);
