/** A relay that is started anew under many clients: they come back spread over seconds and without a storm, and it serves while it demands cookies and has a budget for certificates. */
import { describe, expect, it } from 'vitest';
import { restartRelay } from '../../../bench/relay-restart.ts';

/** Of what a relay has for ten thousand. */
const tenth = { cookieThresholdPerSecond: 50, certificateChecksPerSecond: 30 };

describe('a thousand clients of a relay', () => {
  it('come back within five seconds or so of its goodbye, and under cookies and a tenth of its budget within a minute and a half', () => {
    const outcome = restartRelay({ clients: 1_000, ending: 'goodbye', downMs: 2_000, limits: tenth });
    expect(outcome.largestBinShare).toBeLessThanOrEqual(0.05);
    expect(outcome.cookies).toBeGreaterThan(100);
    expect(outcome.budgetDrops).toBeGreaterThan(100);
    expect(outcome.allBackMs).toBeLessThan(90_000);
    // Each attempt is two of them while cookies are demanded.
    expect(outcome.handshakesPerClient).toBeLessThan(25);
  }, 300_000);

  it('find out about a crash by their keepalives, also where those are rare', () => {
    const outcome = restartRelay({ clients: 200, ending: 'crash', downMs: 2_000, learnedPauseMs: 480_000 });
    expect(outcome.largestBinShare).toBeLessThanOrEqual(0.05);
    expect(outcome.allBackMs).toBeLessThan(125_000);
    expect(outcome.handshakesPerClient).toBeLessThan(3);
  }, 300_000);
});
