/** The list of relays as it is shown, and which of two neighbours may change places. Pure. */
import { relayInOrder } from '../../../shared/relay-sentences.ts';
import type { RelayView } from '../../../shared/relay-views.ts';

export const inOrder = (relays: readonly RelayView[]): readonly RelayView[] => relays.toSorted(relayInOrder);

export const isBanned = ({ choice }: RelayView): boolean => choice === 'banned';
export const isBeingLeft = ({ leavingUntilMs }: RelayView): boolean => leavingUntilMs !== undefined;
/** Keeps mail and goes on doing so. */
export const isInUse = (relay: RelayView): boolean => !isBanned(relay) && !isBeingLeft(relay);

/** Doubtful ones come last until they work again; a pinned one never does. */
const isLast = ({ choice, tests }: RelayView): boolean => choice !== 'pinned' && tests !== undefined && tests.standing !== 'reliable';

export type Direction = 'up' | 'down';

export interface Move {
  /** Undefined: it cannot go there, for the reason in `why`. */
  readonly past: RelayView | undefined;
  readonly why: string;
}

/** @param relays in order. */
export function moveOf(relays: readonly RelayView[], relay: RelayView, direction: Direction): Move {
  const movable = relays.filter((one) => isInUse(one) && one.role === 'own' && one.place !== undefined);
  const index = movable.indexOf(relay);
  const past = index < 0 ? undefined : movable[direction === 'up' ? index - 1 : index + 1];
  if (past === undefined) return { past: undefined, why: direction === 'up' ? 'It is the first already' : 'It is the last already' };
  if ((past.choice === 'pinned') !== (relay.choice === 'pinned')) return { past: undefined, why: 'Pinned relays come first' };
  if (isLast(past) !== isLast(relay)) return { past: undefined, why: 'What does not keep its word comes last, unless it is pinned' };
  return { past, why: '' };
}

const ordinals = ['first', 'second', 'third'] as const;

/** What its place means; undefined where it has none. */
export function placeWords({ place, isTold, role }: RelayView): string | undefined {
  if (place === undefined || role === 'local') return undefined;
  const ordinal = ordinals[place];
  if (ordinal === undefined || isTold === false) return 'Your friends are not told of it: they are told of the first three';
  return `Your ${ordinal} choice: friends are told of it, and leave mail there`;
}
