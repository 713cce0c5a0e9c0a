/** The `messages` group of the contract. */
import type { Handlers } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { findMessage, requireAddress, type ApiContext } from './api-context.ts';
import { presentHops, presentMessage } from './presenter.ts';

/** Reading goes back in pages until what was read before; an old conversation opened after a year stops here. */
const markReadMessagesMaximum = 1_000;
const markReadPage = 200;

export function createMessageHandlers(context: ApiContext): Handlers['messages'] {
  return {
    async page({ conversationId, beforeRow, limit }) {
      const { messages, more } = await context.query({ query: 'page', conversationId, beforeRow, limit });
      const inspect = context.inspect();
      return { messages: messages.map((message) => presentMessage(message, inspect)), more };
    },

    async inbox({ afterRow, limit }) {
      const { messages } = await context.query({ query: 'inbox', afterRow, limit });
      const inspect = context.inspect();
      return { messages: messages.map((message) => presentMessage(message, inspect)), nextRow: messages.reduce((row, message) => Math.max(row, message.row), afterRow) };
    },

    get: ({ messageId }) => findMessage(context, messageId),

    async send({ to, text, ttlSeconds }) {
      const address = requireAddress(to);
      const { messageId } = await context.command({ name: 'send', to: address.publicKey, port: address.port, text, ttlSeconds });
      return findMessage(context, messageId);
    },

    async hops({ messageId }) {
      const message = await findMessage(context, messageId);
      const { hops } = await context.query({ query: 'hops', messageId });
      return { hops: presentHops(message, hops, context.inspect()) };
    },

    async cancel({ messageId }) {
      await findMessage(context, messageId);
      await context.command({ name: 'cancel', messageId });
      return undefined;
    },

    async retry({ messageId }) {
      try {
        await context.command({ name: 'retry', messageId });
      } catch (error) {
        // An id that never was is another matter than a message that has ended. What is sent by itself is in the outbox and is no message.
        if (error instanceof WaypostError && error.code === 'not-retryable') await findMessage(context, messageId);
        throw error;
      }
      return undefined;
    },

    async retryAll() {
      await context.command({ name: 'retry-all' });
      return undefined;
    },

    async markRead({ conversationId, upToRow }) {
      const conversation = context.inspect().conversations.get(conversationId);
      if (conversation === undefined) throw new WaypostError('not-found', 'There is no such conversation.');
      if (upToRow <= conversation.readUpToRow) return undefined;
      const messageIds = await newlyRead(context, conversationId, conversation.readUpToRow, upToRow);
      await context.command({ name: 'mark-read', conversationId, upToRow, messageIds });
      return undefined;
    },

    async saveDraft({ conversationId, text }) {
      await context.command({ name: 'save-draft', conversationId, text });
      return undefined;
    },
  };
}

/**
 * Ids of incoming messages that arrived after `fromRow` and up to `toRow`. Rows count arrivals while pages go by the order shown, where a
 * late letter stands earlier: so it goes back until a whole page was read before.
 */
async function newlyRead(context: ApiContext, conversationId: string, fromRow: number, toRow: number): Promise<string[]> {
  const ids: string[] = [];
  let beforeRow: number | undefined;
  for (let looked = 0; looked < markReadMessagesMaximum; looked += markReadPage) {
    const { messages, more } = await context.query({ query: 'page', conversationId, beforeRow, limit: markReadPage });
    const isNews = messages.some((message) => message.row > fromRow);
    for (const message of messages) if (message.direction === 'in' && message.row > fromRow && message.row <= toRow) ids.push(message.id);
    if (!more || !isNews) break;
    beforeRow = messages[0]?.row;
  }
  return ids;
}
