/**
 * The one registry of keyboard shortcuts. Handlers are attached by name, the cheat sheet is drawn from it, and a shortcut that is not
 * listed here does not exist. `local` ones are handled by the control that has the focus and are listed for people only.
 */
import { useEffect, useEffectEvent } from 'react';

export const shortcutSections = ['Anywhere', 'Conversations', 'Messages', 'Relays'] as const;
export type ShortcutSection = (typeof shortcutSections)[number];

export interface Shortcut {
  readonly keys: string;
  readonly section: ShortcutSection;
  readonly description: string;
  readonly local?: true;
}

export const shortcuts = {
  palette: { keys: 'Ctrl+K', section: 'Anywhere', description: 'Find a conversation or an action' },
  cheatSheet: { keys: 'Ctrl+/', section: 'Anywhere', description: 'Show all keyboard shortcuts' },
  addFriend: { keys: 'Ctrl+N', section: 'Anywhere', description: 'Add a friend' },
  nextPane: { keys: 'F6', section: 'Anywhere', description: 'Move to the next pane' },
  previousPane: { keys: 'Shift+F6', section: 'Anywhere', description: 'Move to the previous pane' },
  retryNow: { keys: 'F5', section: 'Anywhere', description: 'Try the network and all that waits again' },
  settings: { keys: 'Ctrl+,', section: 'Anywhere', description: 'Open Settings' },
  outbox: { keys: 'Ctrl+Shift+Q', section: 'Anywhere', description: 'Open the Outbox' },
  close: { keys: 'Escape', section: 'Anywhere', description: 'Close the drawer or dialog' },
  previousConversation: { keys: 'Alt+ArrowUp', section: 'Conversations', description: 'Previous conversation' },
  nextConversation: { keys: 'Alt+ArrowDown', section: 'Conversations', description: 'Next conversation' },
  details: { keys: 'Ctrl+D', section: 'Conversations', description: 'Where the last message you sent is' },
  previousMessage: { keys: 'ArrowUp', section: 'Messages', description: 'Previous message', local: true },
  nextMessage: { keys: 'ArrowDown', section: 'Messages', description: 'Next message', local: true },
  openHops: { keys: 'Enter', section: 'Messages', description: 'Where this message has been', local: true },
  attach: { keys: 'Ctrl+U', section: 'Messages', description: 'Attach files' },
  send: { keys: 'Enter', section: 'Messages', description: 'Send what you wrote', local: true },
  relayUp: { keys: 'Ctrl+ArrowUp', section: 'Relays', description: 'Prefer this relay more', local: true },
  relayDown: { keys: 'Ctrl+ArrowDown', section: 'Relays', description: 'Prefer this relay less', local: true },
  newLine: { keys: 'Shift+Enter', section: 'Messages', description: 'New line', local: true },
} as const satisfies Readonly<Record<string, Shortcut>>;

export type ShortcutId = keyof typeof shortcuts;
export const shortcutIds = Object.keys(shortcuts).filter((id): id is ShortcutId => Object.hasOwn(shortcuts, id));

/** The part of a keyboard event that matters here. */
export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

/** On macOS the command key takes the place of Ctrl. */
const isApple = (platform: string): boolean => platform === 'darwin';

export function matches(press: KeyPress, keys: string, platform: string): boolean {
  const parts = keys.split('+');
  const key = parts.at(-1) ?? '';
  const wantsControl = parts.includes('Ctrl');
  const control = isApple(platform) ? press.metaKey : press.ctrlKey;
  const foreign = isApple(platform) ? press.ctrlKey : press.metaKey;
  if (foreign || control !== wantsControl || press.altKey !== parts.includes('Alt')) return false;
  // Some layouts need Shift to type a sign at all ("/" on a German keyboard), so it only counts for named keys and letters.
  const sign = key.length === 1 && !/[a-z]/i.test(key);
  if (!sign && press.shiftKey !== parts.includes('Shift')) return false;
  return press.key.toLowerCase() === key.toLowerCase();
}

const keyNames: Readonly<Record<string, string>> = { ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc' };
const appleNames: Readonly<Record<string, string>> = { ...keyNames, Ctrl: '⌘', Alt: '⌥', Shift: '⇧' };

/** The caps to draw for a shortcut, in order. */
export const keyCaps = (keys: string, platform: string): readonly string[] => keys.split('+').map((part) => (isApple(platform) ? appleNames : keyNames)[part] ?? part);

type Handler = (event: KeyPress) => boolean | undefined;
const handlers = new Map<ShortcutId, Handler[]>();

/** Attaches a handler; the newest one goes first. A handler that returns false did not act, and the key keeps its usual meaning. */
export function attach(id: ShortcutId, handler: Handler): () => void {
  handlers.set(id, [handler, ...(handlers.get(id) ?? [])]);
  return () => {
    handlers.set(id, (handlers.get(id) ?? []).filter((other) => other !== handler));
  };
}

/** Runs the shortcut of a key press; true when one acted. */
export function dispatch(press: KeyPress, platform: string): boolean {
  for (const id of shortcutIds) {
    const shortcut: Shortcut = shortcuts[id];
    if (shortcut.local === true || !matches(press, shortcut.keys, platform)) continue;
    if ((handlers.get(id) ?? []).some((handler) => handler(press) !== false)) return true;
  }
  return false;
}

/** Does what the shortcut does, for those who choose it by name; false when nobody acts on it now. */
export function act(id: ShortcutId): boolean {
  const press: KeyPress = { key: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
  return (handlers.get(id) ?? []).some((handler) => handler(press) !== false);
}

export function useShortcut(id: ShortcutId, handler: () => boolean | undefined): void {
  const current = useEffectEvent(handler);
  useEffect(() => attach(id, () => current()), [id]);
}
