/** What the handlers of the contract share: the engine's commands and memory, the store's queries, the blobs, and the sentences for what is not there. */
import { WaypostError } from '../../../shared/errors.ts';
import type { MessageView } from '../../../shared/views.ts';
import type { CommandName, CommandResults, EngineCommand } from '../../engine/command-types.ts';
import type { EngineInspection } from '../../engine/inspection-types.ts';
import type { StoredMessage, VisorQuery, VisorQueryResults } from '../../engine/mail/visor-store.ts';
import { parseAddress } from '../../engine/wire/link.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { presentMessage } from './presenter.ts';

/** Of the blobs, what stands between them and a person's files. */
export type FileBlobs = Pick<BlobStore, 'submit' | 'importFile' | 'claim' | 'exportFile' | 'readPlain'>;

export interface ApiContext {
  command<Name extends CommandName>(command: Extract<EngineCommand, { name: Name }>): Promise<CommandResults[Name]>;
  query<Q extends VisorQuery['query']>(query: Extract<VisorQuery, { query: Q }>): Promise<VisorQueryResults[Q]>;
  /** @throws WaypostError while no engine runs. */
  inspect(): EngineInspection;
  readonly blobs: FileBlobs;
  /** Aborted when the visor stops, with the error for whoever waits: what takes long ends then. */
  readonly stopping: AbortSignal;
}

type Address = NonNullable<ReturnType<typeof parseAddress>>;

/** @throws WaypostError `bad-address` */
export function requireAddress(text: string): Address {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  throw new WaypostError('bad-address', 'This is not a valid address: it has 66 hexadecimal digits, with ":port" behind them for an application. Check that all of it was copied.');
}

/** @throws WaypostError `not-found` */
export async function findStoredMessage(context: ApiContext, messageId: string): Promise<StoredMessage> {
  const { message } = await context.query({ query: 'message', messageId });
  if (message === undefined) throw new WaypostError('not-found', 'There is no message with this id here. Ids are 32 hexadecimal digits; "waypost outbox" lists those that wait.');
  return message;
}

/** @throws WaypostError `not-found` */
export async function findMessage(context: ApiContext, messageId: string): Promise<MessageView> {
  return presentMessage(await findStoredMessage(context, messageId), context.inspect());
}
