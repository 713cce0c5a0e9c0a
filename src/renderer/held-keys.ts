/**
 * What is typed between a dialog's opening and its first focus. Its file may still be on its way, and a fast hand does not wait: without this, letters meant for
 * "Find anything" would land in the message behind it, and Enter would send that. They are held instead, and typed into the field that the dialog opens with.
 */

/** A dialog that has not come by then never will (its files are damaged): the keyboard is given back. */
const heldMaximumMs = 5_000;
/** More is a cat on the keyboard. */
const keysMaximum = 200;

let release: (() => void) | undefined;
/** What is held now, in the order of typing. */
let waiting: string[] | undefined;

const isDialogFocused = (): boolean => document.activeElement?.closest('[role=dialog], [role=alertdialog]') !== null && document.activeElement !== document.body;

type Field = HTMLInputElement | HTMLTextAreaElement;

function replaceSelection(field: Field, start: number, text: string): void {
  field.setRangeText(text, start, field.selectionEnd ?? start, 'end');
  field.dispatchEvent(new InputEvent('input', { bubbles: true, data: text, inputType: text === '' ? 'deleteContentBackward' : 'insertText' }));
}

function press(field: Field, key: string): void {
  const start = field.selectionStart ?? 0;
  if (key.length === 1) replaceSelection(field, start, key);
  else if (key === 'Backspace') replaceSelection(field, field.selectionEnd === start ? Math.max(0, start - 1) : start, '');
  else field.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}

/** Letters and signs, also those that need AltGr, which Windows reports as Ctrl and Alt, or Option; and Enter in any company, since it sends what is behind. */
function isHeld(event: KeyboardEvent): boolean {
  if (event.key === 'Enter' || event.getModifierState('AltGraph')) return true;
  if (event.ctrlKey || event.metaKey) return false;
  return !event.altKey || (event.key.length === 1 && !/[a-z0-9]/i.test(event.key));
}

/** Types into the field with the focus, if it is one. */
function type(keys: readonly string[], from = 0): void {
  // What was typed before has opened another dialog: the rest is for that one.
  if (waiting !== undefined) { waiting.unshift(...keys.slice(from)); return; }
  const field = document.activeElement;
  const key = keys[from];
  if (key === undefined || !(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) return;
  press(field, key);
  // Enter acts on what the letters before it have found, so the page looks at them first.
  if (keys[from + 1] === 'Enter') setTimeout(type, 0, keys, from + 1);
  else type(keys, from + 1);
}

/** @param close when Escape is among what is held. */
export function holdKeys(close: () => void): void {
  releaseKeys();
  const keys: string[] = [];
  waiting = keys;
  const held = (event: KeyboardEvent): void => {
    if (event.key === 'Shift' || event.key === 'AltGraph' || !isHeld(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.key === 'Escape') close();
    else if (keys.length < keysMaximum) keys.push(event.key);
  };
  // What is pasted, or cut with a shortcut, would change the message behind; once the dialog has the focus it is meant for that, after what was typed before.
  const stopped = (event: Event): void => {
    if (!isDialogFocused()) { event.preventDefault(); return; }
    releaseKeys();
    type(keys);
  };
  // Not at once: the focus comes in the middle of the drawing of what it goes to.
  const arrive = (): void => {
    setTimeout(() => {
      if (release !== mine || !isDialogFocused()) return;
      releaseKeys();
      type(keys);
    });
  };
  const timer = setTimeout(releaseKeys, heldMaximumMs);
  window.addEventListener('keydown', held, { capture: true });
  window.addEventListener('beforeinput', stopped, { capture: true });
  window.addEventListener('focusin', arrive);
  const mine = (): void => {
    clearTimeout(timer);
    window.removeEventListener('keydown', held, { capture: true });
    window.removeEventListener('beforeinput', stopped, { capture: true });
    window.removeEventListener('focusin', arrive);
  };
  release = mine;
}

export function releaseKeys(): void {
  release?.();
  release = undefined;
  waiting = undefined;
}
