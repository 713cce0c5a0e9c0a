/** For a visor that has sessions with relays only. */
import type { PeerSessions } from './peer-sessions.ts';

export const noPeerSessions: PeerSessions = {
  session: () => undefined,
  contactOf: () => undefined,
  want: () => undefined,
  pathOf: () => undefined,
};
