/** Runs one seed from beginning to end. */
import { Scenario } from './scenario.ts';
import { SimWorld } from './world.ts';
import type { Violation } from './violations.ts';

export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** SHA-256 of the whole trace, hex. */
  readonly traceHash: string;
  readonly traceLines: number;
  readonly virtualMs: number;
  readonly letters: { readonly asked: number; readonly answered: number; readonly delivered: number; readonly cancelled: number };
  readonly files: { readonly sent: number; readonly arrived: number };
  readonly names: { readonly published: number; readonly fetches: number; readonly fetched: number };
  readonly datagrams: number;
  readonly engineStarts: number;
}

export function simulate(seed: number, sink?: (line: string) => void): SeedResult {
  const world = new SimWorld(seed, sink);
  try {
    const scenario = new Scenario(world);
    scenario.run();
    const delivered = [...world.checker.letters.letters.values()].filter((letter) => letter.committedAtRecipientMs !== undefined).length;
    return {
      seed, violations: world.checker.violations.all, traceHash: world.trace.digest(), traceLines: world.trace.lineCount, virtualMs: world.queue.nowMs,
      letters: { asked: scenario.counters.asked, answered: scenario.counters.answered, delivered, cancelled: scenario.counters.cancelled },
      files: { sent: scenario.filesSent, arrived: [...world.checker.files.files.values()].filter((file) => file.in?.stage === 'ready').length },
      names: { ...world.checker.names.counters },
      datagrams: world.network.counters.sent, engineStarts: world.machines.reduce((sum, machine) => sum + machine.starts, 0),
    };
  } finally {
    world.close();
  }
}
