/**
 * What the window knows, and the pure functions that bring it up to date: snapshots, numbered patches, and the loaded pages of messages.
 * A patch that does not follow the last one is reported as a gap, never applied: the caller asks for a new snapshot.
 */
import { applyChange } from '../shared/patch.ts';
import type { MessageView, Patch, View } from '../shared/views.ts';

/** The loaded stretch of one conversation, oldest first, always reaching to its newest message. */
export interface Page {
  readonly messages: readonly MessageView[];
  /** Whether older messages exist that are not loaded. */
  readonly more: boolean;
}

export interface LiveState {
  readonly sequence: number;
  readonly view: View;
  readonly pages: Readonly<Record<string, Page>>;
}

export type PatchResult = { readonly kind: 'applied' | 'known'; readonly state: LiveState } | { readonly kind: 'gap' };

const byRow = (first: MessageView, second: MessageView): number => first.row - second.row;

/** Puts messages in their place by row; the same id replaces the earlier version. Returns the same list when nothing is different. */
export function mergeMessages(existing: readonly MessageView[], incoming: readonly MessageView[]): readonly MessageView[] {
  if (incoming.length === 0) return existing;
  const byId = new Map(existing.map((message) => [message.id, message]));
  for (const message of incoming) byId.set(message.id, message);
  return [...byId.values()].sort(byRow);
}

/**
 * A message that changed enters a loaded conversation, unless it is older than what is loaded: it comes with its own page then.
 */
export function placeMessage(page: Page, message: MessageView): Page {
  const oldest = page.messages[0];
  const known = page.messages.some((other) => other.id === message.id);
  if (!known && page.more && oldest !== undefined && message.row < oldest.row) return page;
  return { ...page, messages: mergeMessages(page.messages, [message]) };
}

export function prependPage(page: Page | undefined, older: Page): Page {
  return { messages: mergeMessages(page?.messages ?? [], older.messages), more: older.more };
}

function placeInPages(pages: Readonly<Record<string, Page>>, message: MessageView): Readonly<Record<string, Page>> {
  const page = pages[message.conversationId];
  return page === undefined ? pages : { ...pages, [message.conversationId]: placeMessage(page, message) };
}

export function applyPatch(state: LiveState, patch: Patch): PatchResult {
  if (patch.sequence <= state.sequence) return { kind: 'known', state };
  if (patch.sequence !== state.sequence + 1) return { kind: 'gap' };
  let { view, pages } = state;
  for (const change of patch.changes) {
    view = applyChange(view, change);
    if (change.kind === 'message') pages = placeInPages(pages, change.value);
    if (change.kind === 'conversation-removed') pages = Object.fromEntries(Object.entries(pages).filter(([id]) => id !== change.id));
  }
  return { kind: 'applied', state: { sequence: patch.sequence, view, pages } };
}
