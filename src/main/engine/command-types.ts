/** What people and programs ask of a visor's engine, and what they get for it. */
import type { ErrorCode } from '../../shared/errors.ts';
import type { RelayTrialView } from '../../shared/relay-trial.ts';
import type { Settings } from '../../shared/views.ts';
import type { CarryOffer } from './mail/carrying.ts';
import type { RelayChoice } from './mail/visor-store.ts';
import type { CheckedNetwork } from './path/observation-port.ts';
import type { ContentName, Invite, PublicKeyHex, RelayHint } from './wire/types.ts';

export type EngineCommand =
  | { readonly name: 'send'; readonly to: PublicKeyHex; readonly port: number; readonly text: string; readonly ttlSeconds: number | undefined }
  /** The sealed copy of the file is a complete blob by now. */
  | { readonly name: 'send-file'; readonly to: PublicKeyHex; readonly port: number; readonly text: string; readonly ttlSeconds: number | undefined; readonly file: SealedFile }
  | { readonly name: 'fetch-file'; readonly messageId: string }
  | { readonly name: 'pause-file'; readonly messageId: string }
  | { readonly name: 'cancel-file'; readonly messageId: string }
  /** The public content is a complete blob by now, in the clear. */
  | { readonly name: 'publish'; readonly path: string; readonly content: ContentName; readonly mediaType: string }
  | { readonly name: 'unpublish'; readonly path: string }
  /** Begins to fetch what somebody has published, or says that it is wanted still: what nobody has asked about for a minute ends. */
  | { readonly name: 'fetch-named'; readonly publicKey: PublicKeyHex; readonly path: string; readonly relay: RelayHint | undefined; readonly begin: boolean }
  /** Each `fetch-named` that begins is to be followed by one of these; with the last one what came is forgotten. */
  | { readonly name: 'end-fetch-named'; readonly publicKey: PublicKeyHex; readonly path: string }
  | { readonly name: 'cancel'; readonly messageId: string }
  | { readonly name: 'retry'; readonly messageId: string }
  | { readonly name: 'retry-all' }
  | { readonly name: 'mark-read'; readonly conversationId: string; readonly upToRow: number; readonly messageIds: readonly string[] }
  | { readonly name: 'save-draft'; readonly conversationId: string; readonly text: string }
  | { readonly name: 'add-contact'; readonly invite: Invite; readonly as: string | undefined }
  | { readonly name: 'rename-contact'; readonly publicKey: PublicKeyHex; readonly as: string }
  | { readonly name: 'accept'; readonly publicKey: PublicKeyHex }
  | { readonly name: 'block'; readonly publicKey: PublicKeyHex }
  | { readonly name: 'unblock'; readonly publicKey: PublicKeyHex }
  | { readonly name: 'create-invite' }
  /** For whom a relay for friends may hold mail; asked again whenever contacts may have changed. */
  | { readonly name: 'carry-members' }
  /** That relay is there, knows its members, and can be reached, or (undefined) is not: they are told. */
  | { readonly name: 'carry'; readonly offer: CarryOffer | undefined }
  | { readonly name: 'add-relay'; readonly hint: RelayHint; readonly role: 'own' | 'local' }
  | { readonly name: 'remove-relay'; readonly publicKey: PublicKeyHex }
  | { readonly name: 'choose-relay'; readonly publicKey: PublicKeyHex; readonly choice: RelayChoice }
  /** The most preferred first; the others come after them, or stay where they are. */
  | { readonly name: 'order-relays'; readonly publicKeys: readonly PublicKeyHex[]; readonly others: 'after' | 'stay' }
  /** Answered when the test has ended, after a minute and a half at most; `RelayStatus.trial` tells how far it is. */
  | { readonly name: 'test-relay'; readonly publicKey: PublicKeyHex }
  | { readonly name: 'rename-self'; readonly as: string }
  | { readonly name: 'words-confirmed' }
  /** A session with this contact is wanted for a while, as if there were something to say. */
  | { readonly name: 'reach'; readonly publicKey: PublicKeyHex }
  /** Contacts may be looked for in the network that the machine is in now, or not. */
  | { readonly name: 'trust-network'; readonly isTrusted: boolean }
  /** Answered within 5 s. */
  | { readonly name: 'check-network' }
  /** The machine runs on its battery, or does not any more: as the setting `metered`, for as long as that lasts. */
  | { readonly name: 'low-power'; readonly isOn: boolean }
  | { readonly name: 'update-settings'; readonly settings: Partial<Settings> };

/** A file as it is sent: its sealed bytes are the blob (root, blobBytes), and the key opens them. */
export interface SealedFile {
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly key: Uint8Array;
  readonly root: Uint8Array;
  readonly blobBytes: number;
}

export type CommandName = EngineCommand['name'];

export interface CommandResults {
  'send': { readonly messageId: string };
  'send-file': { readonly messageId: string };
  'fetch-file': void; 'pause-file': void; 'cancel-file': void;
  'publish': void; 'unpublish': void; 'fetch-named': void; 'end-fetch-named': void;
  'cancel': void; 'retry': void; 'retry-all': void; 'mark-read': void; 'save-draft': void;
  'add-contact': { readonly conversationId: string };
  'rename-contact': void; 'accept': void; 'block': void; 'unblock': void;
  'create-invite': { readonly invite: Invite };
  'carry-members': { readonly members: readonly PublicKeyHex[] };
  'carry': void;
  'choose-relay': void; 'order-relays': void; 'test-relay': RelayTrialView;
  'add-relay': void; 'remove-relay': void; 'rename-self': void; 'words-confirmed': void; 'reach': void; 'trust-network': void; 'low-power': void;
  'check-network': CheckedNetwork;
  'update-settings': Settings;
}

export type CommandReply<Name extends CommandName = CommandName> =
  | { readonly ok: true; readonly value: CommandResults[Name] }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };
