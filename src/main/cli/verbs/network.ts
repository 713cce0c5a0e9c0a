/** `waypost status` and `stop`: how it is doing. */
import type { Command } from 'commander';
import type { Client } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { carryingSentence } from '../../../shared/relay-sentences.ts';
import { connectionSentence } from '../../../shared/sentences.ts';
import { createClient } from '../../../shared/transport.ts';
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
          ...(view.settings.carryForFriends && view.carrying !== undefined ? [carryingSentence(view.carrying).sentence] : []),
          ...view.notices,
        ];
        environment.terminal.result(lines.join('\n'), { isRunning: !isOwn, identity: view.identity, connection: view.connection, notices: view.notices, carrying: view.carrying, statistics });
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
