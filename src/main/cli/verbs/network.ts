/** `waypost status`, `relays` and `stop`: how it is doing and through whom it speaks. */
import type { Command } from 'commander';
import type { Client } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { relayTestsSentences } from '../../../shared/relay-tests.ts';
import { connectionSentence, relaySentence } from '../../../shared/sentences.ts';
import { createClient } from '../../../shared/transport.ts';
import { parseRelayHint } from '../../engine/wire/relay-hint.ts';
import { connectControlSocket } from '../../host/control-client.ts';
import { pause } from '../environment.ts';
import { addVerb, runVerb } from '../verb.ts';

const lookAgainMs = 100;

/** A visor that has just been started has not heard of anybody yet: give it its time before judging. */
export async function settle(client: Client, mostMs: number): Promise<void> {
  const untilMs = performance.now() + mostMs;
  while (performance.now() < untilMs) {
    const { kind } = (await client.state.snapshot()).view.connection;
    if (kind === 'online' || kind === 'no-relay' || kind === 'revoked') return;
    await pause(lookAgainMs);
  }
}

export function addNetworkVerbs(program: Command): void {
  addVerb(program, 'status', 'how Waypost is doing')
    .action((_options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        if (isOwn) await settle(client, environment.lingerMs);
        const [{ view }, statistics] = await Promise.all([client.state.snapshot(), client.visor.statistics()]);
        const lines = [
          connectionSentence(view.connection).sentence,
          `Address: ${view.identity.address}`,
          isOwn ? 'No Waypost was running for this profile; one ran for this command.' : `Process ${statistics.processId}, UDP ${statistics.listen}, for ${Math.round(statistics.uptimeMs / 1_000)} seconds.`,
          ...view.notices,
        ];
        environment.terminal.result(lines.join('\n'), { isRunning: !isOwn, identity: view.identity, connection: view.connection, notices: view.notices, statistics });
      });
    }));

  const relays = addVerb(program, 'relays', 'list the relays that keep your mail')
    .action((_options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        if (isOwn) await settle(client, environment.lingerMs);
        const { view } = await client.state.snapshot();
        const nowMs = Date.now();
        for (const relay of view.relays) environment.terminal.result([`${relay.publicKey}@${relay.address}  ${relaySentence(relay, nowMs).sentence}`, ...(relay.tests === undefined ? [] : relayTestsSentences(relay.tests, nowMs).map((sentence) => `  ${sentence}`))].join('\n'), relay);
        if (view.relays.length === 0) environment.terminal.note('There is no relay yet. Add one: waypost relays add KEY@HOST:PORT');
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

  addVerb(program, 'stop', 'end the running Waypost of this profile')
    .action((_options: unknown, command: Command) => runVerb(command, async (environment) => {
      const pipe = await connectControlSocket(environment.profile.controlAddress);
      if (pipe === undefined) throw new WaypostError('not-running', 'No Waypost is running for this profile.');
      await createClient(pipe).visor.stop();
      await pipe.closed;
      environment.terminal.result('Stopped.', {});
    }));
}
