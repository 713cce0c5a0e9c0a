/**
 * When the connection line changes. A network that stutters would make it flicker, so bad news must stay true for two seconds before it is
 * shown; good news is shown at once. Pure.
 */
import type { ConnectionView } from '../../../shared/views.ts';

/** Longer than one lost keepalive, shorter than anybody's patience. */
export const settleMs = 2_000;

/** Milliseconds until `next` may replace `shown`; 0 for at once. */
export function settleDelayMs(shown: ConnectionView, next: ConnectionView): number {
  if (next.kind === 'online' || next.kind === shown.kind || shown.kind === 'starting') return 0;
  return settleMs;
}
