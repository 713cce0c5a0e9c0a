import { describe, expect, it } from 'vitest';
import { parseHostArguments, switchValue } from './argv.ts';

describe('the host command line', () => {
  it('is read as playwright writes it', () => {
    const words = ['-r', '/x/loader.js', '--no-sandbox', '--inspect=0', '--remote-debugging-port=0', '/app', '--user-data-dir=/tmp/p', 'waypost:x'];
    expect(parseHostArguments(words)).toEqual({ requires: ['/x/loader.js'], inspectPort: 0, debuggingPort: 0, application: '/app' });
  });

  it('takes ports with a host, and defaults for nonsense', () => {
    expect(parseHostArguments(['--inspect=127.0.0.1:7'])).toEqual({ requires: [], inspectPort: 7 });
    expect(parseHostArguments(['--inspect=x', '--remote-debugging-port=-4'])).toEqual({ requires: [], inspectPort: 9229, debuggingPort: 0 });
    expect(parseHostArguments(['-r'])).toEqual({ requires: [] });
  });

  it('gives the last value of a switch', () => {
    expect(switchValue(['--a=1', '--a=2', '--ab=3'], 'a')).toBe('2');
    expect(switchValue(['--a'], 'a')).toBe('');
    expect(switchValue(['a=1'], 'a')).toBeUndefined();
  });
});
