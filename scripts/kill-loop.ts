/**
 * `scripts/kill-loop.ts [--rounds 20] [--seed S]`: a relay, a sender and a recipient as real processes that are ended by `kill -9` at random
 * moments while messages are written. Nothing whose sending was acknowledged may be lost, and nothing may be shown twice. The last line is
 * `N passed, N failed`; a seed plays the same plan again.
 */
import { randomBytes } from 'node:crypto';
import { SeededRandom } from '../sim/random.ts';
import { inspectDatabases } from './kill-loop/databases.ts';
import { actorNames } from './kill-loop/plan.ts';
import { playRound } from './kill-loop/rounds.ts';
import { judge, type Sent } from './kill-loop/verdict.ts';
import { World } from './kill-loop/world.ts';
import type { Checks } from './processes/checks.ts';
import { countOption, parseOptions } from './processes/options.ts';
import { runScript } from './processes/script.ts';
import { DeadlineError, untilTrue } from './processes/waiting.ts';

const defaultRounds = 20;
/** Links that a kill broke are found broken after seconds, and tried again with pauses of at most 8 s. */
const settleDeadlineMs = 90_000;
const listedMaximum = 5;
const progressRounds = 5;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, listedMaximum).join('; ');
  return names.length > listedMaximum ? `${names.length}: ${shown}; ...` : shown;
}

/** Everybody is up and is left alone: what can still be delivered is delivered. False when it is not in time. */
async function settle(world: World, sent: readonly Sent[]): Promise<boolean> {
  for (const who of ['sender', 'recipient'] as const) await (await world.connection(who)).client.network.retryNow();
  const { client } = await world.connection('sender');
  try {
    await untilTrue('all messages delivered', settleDeadlineMs, async () => (await client.state.snapshot()).view.outbox.length === 0);
    const arrived = new Set((await world.kept()).map(({ id }) => id));
    await untilTrue('all that arrived shown', settleDeadlineMs, () => new Set(world.shown.map(({ id }) => id)).size >= arrived.size);
    return sent.length > 0;
  } catch (error) {
    if (error instanceof DeadlineError) return false;
    throw error;
  }
}

async function killLoop(checks: Checks, directory: string, rounds: number, seed: string): Promise<void> {
  process.stdout.write(`seed ${seed}, ${rounds} rounds\n`);
  const startedMs = performance.now();
  const elapsed = (): string => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
  const random = new SeededRandom(seed);
  const world = new World(directory);
  await world.begin();
  const sent: Sent[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    sent.push(...await playRound(world, random.fork(`round ${round}`), round));
    if (round % progressRounds === 0 || round === rounds) process.stdout.write(`round ${round}: ${sent.length} written, ${world.shown.length} shown, ${world.kills} kills, ${elapsed()}\n`);
  }
  const settled = await settle(world, sent);
  const [kept, written] = [await world.kept(), await world.written()];
  // A letter that is handed over again must leave no second trace, and what a relay once promised to hold it must not forget.
  const receivedAgain = await world.unexpectedHops('recipient', kept, 'received', 1);
  const forgotten = await world.unexpectedHops('sender', written, 'lost', 0);
  const ends = await world.stopAll();
  const verdict = judge({
    sent,
    shown: world.shown.map(({ text }) => text),
    kept: kept.map(({ text }) => text),
    states: new Map(written.map(({ text, headline }) => [text, headline.state])),
  });
  process.stdout.write(`${sent.length} written, ${verdict.acknowledged} acknowledged, ${kept.length} at the recipient, ${world.kills} kills, ${elapsed()}\n`);
  checks.check('everything is delivered once nobody is killed any more', settled);
  checks.check('nothing acknowledged is lost', verdict.lost.length === 0 && verdict.acknowledged > 0, listed(verdict.lost));
  checks.check('nothing is shown twice', verdict.shownTwice.length === 0, listed(verdict.shownTwice));
  checks.check('nothing is kept twice', verdict.keptTwice.length === 0, listed(verdict.keptTwice));
  checks.check('nothing is received twice by the hop logs', receivedAgain.length === 0, listed(receivedAgain));
  checks.check('the relay forgot nothing that it promised to hold', forgotten.length === 0, listed(forgotten));
  checks.check('everything kept was shown', verdict.notShown.length === 0, listed(verdict.notShown));
  checks.check('every text arrived as it was written', verdict.strange.length === 0, listed(verdict.strange));
  checks.check('the sender knows of each that it was delivered', verdict.wrongState.length === 0, listed(verdict.wrongState));
  checks.check('all three ended cleanly at the end', ends.every((code) => code === 0), ends.join(', '));
  for (const who of actorNames) {
    const findings = inspectDatabases(world.directoryOf(who));
    checks.check(`the databases of the ${who} are whole`, findings.length > 0 && findings.every(({ state }) => state === 'ok'), findings.map(({ file, state }) => `${file} ${state}`).join(', '));
  }
  if (checks.failed > 0) process.stdout.write(`play it again: --rounds ${rounds} --seed ${seed}\n`);
}

const options = parseOptions(process.argv.slice(2), ['rounds', 'seed']);
const seed = options.get('seed') ?? randomBytes(4).toString('hex');
process.exitCode = await runScript('kill-loop', (checks, directory) => killLoop(checks, directory, countOption(options, 'rounds', defaultRounds), seed));
