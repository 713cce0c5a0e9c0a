import { describe, expect, it } from 'vitest';
import { chromiumSwitches } from './chromium-process.ts';
import { locateChromium } from './locate-chromium.ts';

const options = { profileDirectory: '/p', debuggingPort: 0, isHeaded: false, isRoot: false, extraSwitches: ['--x'] };

describe('starting Chromium', () => {
  it('gives up the sandbox only for root', () => {
    expect(chromiumSwitches(options)).not.toContain('--no-sandbox');
    expect(chromiumSwitches({ ...options, isRoot: true })).toContain('--no-sandbox');
  });

  it('keeps the browser quiet and tied to the host, with the application switches last', () => {
    const switches = chromiumSwitches(options);
    for (const name of ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--remote-debugging-pipe', '--user-data-dir=/p']) {
      expect(switches).toContain(name);
    }
    expect(switches).toContain('--x');
    expect(chromiumSwitches({ ...options, isHeaded: true })).not.toContain('--headless=new');
  });

  it('joins the features to disable, since only the last list counts', () => {
    const lists = chromiumSwitches({ ...options, extraSwitches: ['--disable-features=A,B', '--disable-features=C'] }).filter((word) => word.startsWith('--disable-features='));
    expect(lists).toHaveLength(1);
    expect(lists[0]).toMatch(/Translate.*A,B,C$/);
  });

  it('takes the named browser first, then the known places in order', () => {
    const exists = (file: string): boolean => file === '/usr/bin/google-chrome' || file === '/usr/bin/chromium-browser';
    expect(locateChromium({ WAYPOST_CHROMIUM: '/x' }, exists, 'linux')).toBe('/x');
    expect(locateChromium({}, exists, 'linux')).toBe('/usr/bin/chromium-browser');
    expect(locateChromium({ WAYPOST_CHROMIUM: '' }, () => false, 'linux')).toBeUndefined();
  });
});
