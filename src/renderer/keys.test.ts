import { describe, expect, it, vi } from 'vitest';
import { act, attach, dispatch, keyCaps, matches, shortcutIds, shortcuts, shortcutSections, type KeyPress, type Shortcut } from './keys.ts';

const press = (key: string, modifiers: Partial<KeyPress> = {}): KeyPress => ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...modifiers });

describe('the registry of keyboard shortcuts', () => {
  it('gives no two global shortcuts the same keys', () => {
    const global = shortcutIds.map((id): Shortcut => shortcuts[id]).filter((shortcut) => shortcut.local !== true).map((shortcut) => shortcut.keys);
    expect(new Set(global).size).toBe(global.length);
  });
  it('describes every shortcut and files it in a section of the cheat sheet', () => {
    for (const id of shortcutIds) {
      expect(shortcuts[id].description).not.toBe('');
      expect(shortcutSections).toContain(shortcuts[id].section);
    }
  });
  it('takes Ctrl, or the command key on a Mac', () => {
    expect(matches(press('k', { ctrlKey: true }), 'Ctrl+K', 'linux')).toBe(true);
    expect(matches(press('k', { metaKey: true }), 'Ctrl+K', 'linux')).toBe(false);
    expect(matches(press('k', { metaKey: true }), 'Ctrl+K', 'darwin')).toBe(true);
    expect(matches(press('k', { ctrlKey: true, shiftKey: true }), 'Ctrl+K', 'linux')).toBe(false);
    expect(matches(press('k'), 'Ctrl+K', 'linux')).toBe(false);
  });
  it('accepts a sign however the keyboard layout makes it', () => {
    expect(matches(press('/', { ctrlKey: true, shiftKey: true }), 'Ctrl+/', 'linux')).toBe(true);
  });
  it('tells F6 from Shift+F6', () => {
    expect(matches(press('F6', { shiftKey: true }), 'F6', 'linux')).toBe(false);
    expect(matches(press('F6', { shiftKey: true }), 'Shift+F6', 'linux')).toBe(true);
  });
  it('runs the newest handler, and an earlier one when it declines', () => {
    const older = vi.fn(() => undefined);
    const newer = vi.fn(() => false);
    const detachOlder = attach('close', older);
    const detachNewer = attach('close', newer);
    expect(dispatch(press('Escape'), 'linux')).toBe(true);
    expect(newer).toHaveBeenCalledOnce();
    expect(older).toHaveBeenCalledOnce();
    detachOlder();
    expect(dispatch(press('Escape'), 'linux')).toBe(false);
    detachNewer();
    expect(dispatch(press('Escape'), 'linux')).toBe(false);
  });
  it('does by name what the keys do', () => {
    const handler = vi.fn(() => true);
    const detach = attach('attach', handler);
    expect(act('attach')).toBe(true);
    detach();
    expect(act('attach')).toBe(false);
    expect(handler).toHaveBeenCalledOnce();
  });
  it('leaves local keys to the control that has the focus', () => {
    const handler = vi.fn(() => true);
    const detach = attach('send', handler);
    expect(dispatch(press('Enter'), 'linux')).toBe(false);
    expect(handler).not.toHaveBeenCalled();
    detach();
  });
  it('draws keys as people find them on their keyboard', () => {
    expect(keyCaps('Alt+ArrowUp', 'linux')).toEqual(['Alt', '↑']);
    expect(keyCaps('Ctrl+Shift+Q', 'darwin')).toEqual(['⌘', '⇧', 'Q']);
  });
});
