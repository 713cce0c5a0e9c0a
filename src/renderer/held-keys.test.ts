import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

class FakeField extends EventTarget {
  value = ''; selectionStart = 0; selectionEnd = 0; dialog: string | null = null;
  setRangeText(text: string, start: number, end: number) { this.value = this.value.slice(0, start) + text + this.value.slice(end); this.selectionStart = this.selectionEnd = start + text.length; }
  closest() { return this.dialog === null ? null : this; }
}
class Key extends Event {
  key: string; ctrlKey: boolean; metaKey: boolean; altKey: boolean;
  constructor(type: string, init: { key: string; ctrlKey?: boolean; altKey?: boolean; metaKey?: boolean }) { super(type, { cancelable: true, bubbles: true }); this.key = init.key; this.ctrlKey = init.ctrlKey ?? false; this.altKey = init.altKey ?? false; this.metaKey = init.metaKey ?? false; }
  getModifierState(name: string): boolean { return name === 'AltGraph' && this.ctrlKey && this.altKey; }
}
const body = {};
let active: unknown;
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('window', new EventTarget());
  active = new FakeField();
  vi.stubGlobal('document', { get activeElement() { return active; }, body });
  vi.stubGlobal('HTMLInputElement', FakeField);
  vi.stubGlobal('HTMLTextAreaElement', FakeField);
  vi.stubGlobal('InputEvent', class extends Event {});
  vi.stubGlobal('KeyboardEvent', Key);
});
afterEach(() => { vi.useRealTimers(); vi.unstubAllGlobals(); });
const isHeld = (key: Key): boolean => { window.dispatchEvent(key); return key.defaultPrevented; };

describe('held keys', () => {
  it.each([
    ['Enter with Ctrl still down from Ctrl+K, which the composer takes as Send', { key: 'Enter', ctrlKey: true }],
    ['a sign typed with AltGr on Windows', { key: '@', ctrlKey: true, altKey: true }],
    ['a sign typed with Option on macOS', { key: '@', altKey: true }],
  ])('hold %s', async (_, init) => {
    const { holdKeys, releaseKeys } = await import('./held-keys.ts');
    holdKeys(() => undefined);
    const isStopped = isHeld(new Key('keydown', init));
    releaseKeys();
    expect(isStopped).toBe(true);
  });
  it('lets shortcuts through, and changes nothing behind', async () => {
    const { holdKeys, releaseKeys } = await import('./held-keys.ts');
    holdKeys(() => undefined);
    const paste = new Event('beforeinput', { cancelable: true });
    window.dispatchEvent(paste);
    const isShortcutStopped = isHeld(new Key('keydown', { key: 'k', ctrlKey: true }));
    releaseKeys();
    const later = new Event('beforeinput', { cancelable: true });
    window.dispatchEvent(later);
    expect([paste.defaultPrevented, isShortcutStopped, later.defaultPrevented]).toEqual([true, false, false]);
  });
  it('lets what is pasted into the dialog through as soon as that has the focus, after what was typed before', async () => {
    const { holdKeys } = await import('./held-keys.ts');
    const field = new FakeField(); field.dialog = 'add friend';
    holdKeys(() => undefined);
    isHeld(new Key('keydown', { key: 'a' }));
    active = field;
    window.dispatchEvent(new Event('focusin'));
    const paste = new Event('beforeinput', { cancelable: true });
    window.dispatchEvent(paste);
    const valueAtPaste = field.value;
    vi.advanceTimersByTime(10);
    expect([paste.defaultPrevented, valueAtPaste, field.value]).toEqual([false, 'a', 'a']);
  });
  it('goes on to the dialog that Enter has opened', async () => {
    const { holdKeys } = await import('./held-keys.ts');
    const first = new FakeField(); first.dialog = 'palette';
    const second = new FakeField(); second.dialog = 'add friend';
    first.addEventListener('keydown', (event) => { if (event instanceof Key && event.key === 'Enter') holdKeys(() => undefined); });
    holdKeys(() => undefined);
    for (const key of ['a', 'Enter', 'b']) isHeld(new Key('keydown', { key }));
    active = first;
    window.dispatchEvent(new Event('focusin'));
    vi.advanceTimersByTime(10);
    active = second;
    window.dispatchEvent(new Event('focusin'));
    vi.advanceTimersByTime(10);
    expect([first.value, second.value]).toEqual(['a', 'b']);
  });
});
