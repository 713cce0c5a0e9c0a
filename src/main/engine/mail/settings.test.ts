import { describe, expect, it } from 'vitest';
import { defaultSettings, settingsKey } from './settings.ts';

const read = (text: string) => defaultSettings(new Map([[settingsKey, text]]));
const defaults = defaultSettings(new Map());

describe('settings', () => {
  it('keep what was set before there were some of them', () => {
    expect(read('{"readReceipts":false,"theme":"dark"}')).toEqual({ ...defaults, readReceipts: false, theme: 'dark' });
  });
  it.each(['', 'null', '[]', '{"theme":7}', '{"readReceipts":"yes"}', 'damaged {'])('that are damaged (%s) are the defaults', (text) => {
    expect(read(text)).toEqual(defaults);
  });
});
