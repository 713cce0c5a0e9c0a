/** `waypost network`: whether contacts are looked for in the local network, and the mark that it is not trusted. */
import type { Command } from 'commander';
import type { Client } from '../../../shared/contract.ts';
import { lanSentence } from '../../../shared/lan-sentences.ts';
import type { LanView } from '../../../shared/views.ts';
import { pause } from '../environment.ts';
import { addVerb, runVerb } from '../verb.ts';

const lookAgainMs = 100;

/** A visor that has just been started does not know yet which networks there are. */
async function lanOf(client: Client, mostMs: number): Promise<LanView> {
  const untilMs = performance.now() + mostMs;
  for (;;) {
    const lan = await client.network.lan();
    if (lan.state !== 'no-network' || performance.now() >= untilMs) return lan;
    await pause(lookAgainMs);
  }
}

export function addLocalNetworkVerb(program: Command): void {
  const network = addVerb(program, 'network', 'whether contacts are looked for in the local network')
    .action((_options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        const lan = await lanOf(client, isOwn ? environment.lingerMs : 0);
        environment.terminal.result(lanSentence(lan), lan);
      });
    }));
  const mark = (name: string, description: string, trusted: boolean): void => {
    addVerb(network, name, description)
      .action((_options: unknown, command: Command) => runVerb(command, async (environment) => {
        await environment.withVisor(async ({ client, isOwn }) => {
          await lanOf(client, isOwn ? environment.lingerMs : 0);
          const lan = await client.network.trust({ trusted });
          environment.terminal.result(lanSentence(lan), lan);
        });
      }));
  };
  mark('trust', 'look for contacts in the network that this computer is in now', true);
  mark('distrust', 'look for nobody in the network that this computer is in now, and answer nobody', false);
}
