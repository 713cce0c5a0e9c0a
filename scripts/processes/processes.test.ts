import { describe, expect, it } from 'vitest';
import { Checks } from './checks.ts';
import { countOption, parseOptions, UsageError } from './options.ts';
import { DeadlineError, until, untilTrue, within } from './waiting.ts';

describe('Checks of a script', () => {
  it('end with the line that sums them up, and with exit code 0 when all hold', () => {
    const lines: string[] = [];
    const checks = new Checks((line) => lines.push(line));
    checks.check('one', true);
    checks.check('two', true, 'detail');
    expect(checks.finish()).toBe(0);
    expect(lines).toEqual(['  ok     one', '  ok     two (detail)', '2 passed, 0 failed']);
  });

  it('end with exit code 1 when one does not hold, or when nothing was checked', () => {
    const failing = new Checks(() => undefined);
    failing.check('one', true);
    failing.check('two', false);
    expect(failing.failed).toBe(1);
    expect(failing.finish()).toBe(1);
    const lines: string[] = [];
    expect(new Checks((line) => lines.push(line)).finish()).toBe(1);
    expect(lines).toEqual(['0 passed, 1 failed']);
  });
});

describe('Options of a script', () => {
  it('are read as pairs', () => {
    const options = parseOptions(['--rounds', '5', '--seed', 'abc'], ['rounds', 'seed']);
    expect(options.get('seed')).toBe('abc');
    expect(countOption(options, 'rounds', 20)).toBe(5);
    expect(countOption(new Map(), 'rounds', 20)).toBe(20);
  });

  it('are refused when they are unknown, have no value, or are no count', () => {
    expect(() => parseOptions(['--other', '5'], ['rounds'])).toThrow(UsageError);
    expect(() => parseOptions(['--rounds'], ['rounds'])).toThrow(UsageError);
    for (const text of ['0', '-1', '1.5', 'many', '']) expect(() => countOption(new Map([['rounds', text]]), 'rounds', 20)).toThrow(UsageError);
  });
});

describe('Waiting for a state', () => {
  it('ends with what was found', async () => {
    let looks = 0;
    await expect(until('the third look', 10_000, () => { looks += 1; return looks === 3 ? 'found' : undefined; })).resolves.toBe('found');
    await expect(untilTrue('a truth', 10_000, () => true)).resolves.toBeUndefined();
  });

  it('ends with a sentence when the time is over', async () => {
    await expect(until('nothing', 0, () => undefined)).rejects.toThrow(DeadlineError);
    await expect(within(0, 'nothing', new Promise(() => undefined))).rejects.toThrow('nothing');
    await expect(within(10_000, 'something', Promise.resolve(3))).resolves.toBe(3);
  });
});
