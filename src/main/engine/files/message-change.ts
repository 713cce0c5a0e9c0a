/** What is announced when something about a file is different: it is shown with its message. */
import type { FileRow } from '../mail/visor-store.ts';

export const messageChange = (row: FileRow): { readonly kind: 'message'; readonly messageId: string; readonly conversationId: string } => ({ kind: 'message', messageId: row.messageId, conversationId: row.conversationId });
