/** One counter for each reason to drop a datagram. */
import type { DropReason } from './types.ts';

export type DropCounters = Record<DropReason, number>;

export const createDropCounters = (): DropCounters => ({
  empty: 0, 'unknown-type': 0, truncated: 0, 'too-long': 0, 'bad-version': 0, 'not-listening': 0, 'unknown-session': 0, replayed: 0, unauthentic: 0,
  'cookie-demanded': 0, 'bad-cookie': 0, 'bad-certificate': 0, 'certificate-budget': 0, 'session-limit': 0, 'handshake-limit': 0, unexpected: 0,
  'bad-frame': 0, 'bad-reset-token': 0, self: 0,
});
