/** `waypost relays` and what is below it: which relays keep the mail, in which order, and how they are doing. */
import type { Command } from 'commander';
import type { Client } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { relayTrialSentence } from '../../../shared/relay-trial.ts';
import { carryingSentence, relaySentence } from '../../../shared/relay-sentences.ts';
import type { RelayView } from '../../../shared/relay-views.ts';
import { parseRelayHint } from '../../engine/wire/relay-hint.ts';
import { pause } from '../environment.ts';
import { endedSteps, relaysInOrder, relayWords, trialStepWords } from '../relay-words.ts';
import { exitFailed } from '../terminal.ts';
import { addVerb, runVerb } from '../verb.ts';
import { settle } from './network.ts';

const lookAgainMs = 100;

async function relaysOf(client: Client): Promise<readonly RelayView[]> { return relaysInOrder((await client.state.snapshot()).view.relays); }

/** By key, by its first digits, or by the address. @throws WaypostError `not-found` */
async function requireRelay(client: Client, named: string): Promise<RelayView> {
  const text = named.toLowerCase();
  const found = (await relaysOf(client)).filter(({ publicKey, address }) => address.toLowerCase() === text || (text.length >= 4 && publicKey.startsWith(text)));
  const [relay] = found;
  if (relay === undefined) throw new WaypostError('not-found', `No relay of yours is "${named.slice(0, 80)}". See them with: waypost relays`);
  if (found.length > 1) throw new WaypostError('invalid-argument', `${String(found.length)} relays of yours are "${named.slice(0, 80)}". Write more of the key.`);
  return relay;
}

function addChoice(relays: Command, verb: string, description: string, choice: 'pinned' | 'banned' | 'normal', said: (name: string) => string): void {
  addVerb(relays, `${verb} <relay>`, description)
    .action((named: string, _options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        const { publicKey, name } = await requireRelay(client, named);
        await client.relays.choose({ publicKey, choice });
        // The other relays and the contacts are told.
        if (isOwn) await pause(environment.lingerMs);
        environment.terminal.result(said(name), (await relaysOf(client)).find((one) => one.publicKey === publicKey) ?? {});
      });
    }));
}

export function addRelaysVerbs(program: Command): void {
  const relays = addVerb(program, 'relays', 'list the relays that keep your mail, the most preferred first')
    .action((_options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        if (isOwn) await settle(client, environment.lingerMs);
        const { view } = await client.state.snapshot();
        const all = relaysInOrder(view.relays);
        const nowMs = Date.now();
        for (const relay of all) environment.terminal.result(relayWords(relay, nowMs), relay);
        if (all.length === 0) environment.terminal.note('There is no relay yet. Add one: waypost relays add KEY@HOST:PORT');
        if (view.settings.carryForFriends && view.carrying !== undefined) environment.terminal.note(carryingSentence(view.carrying).sentence);
      });
    }));
  addVerb(relays, 'add <hint>', 'use a relay: key@host:port')
    .action((hint: string, _options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        await client.relays.add({ hint });
        if (isOwn) await settle(client, environment.lingerMs);
        const publicKey = parseRelayHint(hint)?.publicKey;
        const relay = (await client.state.snapshot()).view.relays.find((candidate) => candidate.publicKey === publicKey);
        environment.terminal.result(relay === undefined ? 'Added.' : `Added. ${relaySentence(relay, Date.now()).sentence}`, relay ?? {});
      });
    }));
  addVerb(relays, 'remove <key>', 'use a relay no longer')
    .action((key: string, _options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client }) => {
        await client.relays.remove({ publicKey: key.toLowerCase() });
        environment.terminal.result('Removed.', {});
      });
    }));
  addChoice(relays, 'pin', 'prefer a relay before all others, whatever is measured', 'pinned', (name) => `${name} is pinned.`);
  addChoice(relays, 'unpin', 'pin a relay no longer', 'normal', (name) => `${name} is not pinned.`);
  addChoice(relays, 'ban', 'never use a relay again, not even to reach others', 'banned', (name) => `${name} is banned. Nothing is sent there, and mail that waits there is not fetched.`);
  addChoice(relays, 'unban', 'use a banned relay again', 'normal', (name) => `${name} is used again.`);
  addVerb(relays, 'order <relays...>', 'put relays in your order, the most preferred first')
    .action((named: readonly string[], _options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        const publicKeys: string[] = [];
        for (const one of named) publicKeys.push((await requireRelay(client, one)).publicKey);
        await client.relays.order({ publicKeys });
        if (isOwn) await pause(environment.lingerMs);
        const all = (await relaysOf(client)).filter(({ place }) => place !== undefined);
        environment.terminal.result(all.map(({ place, name, choice }) => `${String((place ?? 0) + 1)}. ${name}${choice === 'pinned' ? ' (pinned)' : ''}`).join('\n'), { relays: all });
      });
    }));
  addVerb(relays, 'test <relay>', 'test a relay step by step: a letter is left there and has to come back')
    .addHelpText('after', '\nExit code: 0 when every step passed, 1 when one failed.')
    .action((named: string, _options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        if (isOwn) await settle(client, environment.lingerMs);
        const { publicKey } = await requireRelay(client, named);
        let toldCount = 0;
        const tell = (trial: RelayView['trial']): void => {
          for (const step of endedSteps(trial, toldCount)) {
            toldCount += 1;
            environment.terminal.note(trialStepWords(step));
          }
        };
        const ended = client.relays.test({ publicKey });
        const over = ended.then(() => true, () => true);
        // Told as they pass; whoever reads it as JSON gets all of it at the end.
        while (!environment.terminal.isJson && !(await Promise.race([over, pause(lookAgainMs).then(() => false)]))) {
          const trial = (await relaysOf(client)).find((one) => one.publicKey === publicKey)?.trial;
          if (trial?.isRunning === true) tell(trial);
        }
        const trial = await ended;
        if (!environment.terminal.isJson) tell(trial);
        if (trial.failure !== undefined) process.exitCode = exitFailed;
        environment.terminal.result(relayTrialSentence(trial), trial);
      });
    }));
}
