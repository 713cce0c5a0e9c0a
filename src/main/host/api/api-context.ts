/** What the handlers of the contract share: the engine's commands and memory, the store's queries, and the sentences for what is not there. */
import { WaypostError } from '../../../shared/errors.ts';
import type { MessageView } from '../../../shared/views.ts';
import type { CommandName, CommandResults, EngineCommand, EngineInspection } from '../../engine/engine-types.ts';
import type { VisorQuery, VisorQueryResults } from '../../engine/mail/visor-store.ts';
import { presentMessage } from './presenter.ts';

export interface ApiContext {
  command<Name extends CommandName>(command: Extract<EngineCommand, { name: Name }>): Promise<CommandResults[Name]>;
  query<Q extends VisorQuery['query']>(query: Extract<VisorQuery, { query: Q }>): Promise<VisorQueryResults[Q]>;
  /** @throws WaypostError while no engine runs. */
  inspect(): EngineInspection;
}

/** @throws WaypostError `not-found` */
export async function findMessage(context: ApiContext, messageId: string): Promise<MessageView> {
  const { message } = await context.query({ query: 'message', messageId });
  if (message === undefined) throw new WaypostError('not-found', 'There is no message with this id here. Ids are 32 hexadecimal digits; "waypost outbox" lists those that wait.');
  return presentMessage(message, context.inspect());
}
