/**
 * What happens when a new session with an identity and device meets a live one. Both sides decide alone and must come to the same
 * session; where they could differ, the side that initiated the survivor can always repair it, because only an initiator can shake hands.
 *
 * - Both initiated there: the peer rekeyed or restarted; the live session takes the new keys and keeps its id (`adopt`).
 * - Both initiated here: somebody dialled twice; the newer replaces the older.
 * - One each: two visors dialled each other. The one that the lower identity initiated survives, unless it is not proven alive: the peer
 *   has another boot id, or the session has not been heard when it should have been. Then the newer one replaces it.
 */
import type { PublicKeyHex } from '../wire/types.ts';

export interface Meeting {
  readonly ownIdentity: PublicKeyHex;
  readonly remoteIdentity: PublicKeyHex;
  readonly liveInitiatedHere: boolean;
  readonly newInitiatedHere: boolean;
  readonly sameBootId: boolean;
  readonly liveIsProven: boolean;
}

export function decideMeeting(meeting: Meeting): 'adopt' | 'replace' | 'keep' {
  if (meeting.liveInitiatedHere === meeting.newInitiatedHere) return meeting.newInitiatedHere ? 'replace' : 'adopt';
  if (!meeting.sameBootId || !meeting.liveIsProven) return 'replace';
  return meeting.liveInitiatedHere === lowerIsHere(meeting.ownIdentity, meeting.remoteIdentity) ? 'keep' : 'replace';
}

/** Keys as text: hexadecimal in one case sorts as the bytes do. */
export const lowerIsHere = (ownIdentity: PublicKeyHex, remoteIdentity: PublicKeyHex): boolean => ownIdentity < remoteIdentity;
