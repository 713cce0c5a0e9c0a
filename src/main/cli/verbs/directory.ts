/** `waypost directory`: relays that are asked where somebody is, when neither your relays nor theirs know. */
import type { Command } from 'commander';
import type { Client } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { directoryRelaysMaximum } from '../../../shared/views.ts';
import { formatRelayHint, parseRelayHint } from '../../engine/wire/relay-hint.ts';
import { addVerb, runVerb } from '../verb.ts';

const listed = async (client: Client): Promise<readonly string[]> => (await client.state.snapshot()).view.settings.directoryRelays;
const keyOf = (hint: string): string | undefined => parseRelayHint(hint)?.publicKey;

export function addDirectoryVerb(program: Command): void {
  const directory = addVerb(program, 'directory', 'list the relays that are asked for people whom your own do not know')
    .action((_options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client }) => {
        const relays = await listed(client);
        for (const hint of relays) environment.terminal.result(hint, { hint });
        if (relays.length === 0) environment.terminal.note('There is none. Add one: waypost directory add KEY@HOST:PORT');
      });
    }));
  addVerb(directory, 'add <hint>', 'ask this relay too: key@host:port')
    .action((text: string, _options: unknown, command: Command) => runVerb(command, async (environment) => {
      const parsed = parseRelayHint(text);
      if (parsed === undefined) throw new WaypostError('bad-relay', 'This is not the link of a relay. It looks like key@host:port, with a key of 66 hexadecimal digits.');
      const hint = formatRelayHint(parsed);
      await environment.withVisor(async ({ client }) => {
        const others = (await listed(client)).filter((one) => keyOf(one) !== parsed.publicKey);
        if (others.length >= directoryRelaysMaximum) throw new WaypostError('refused', `You have ${directoryRelaysMaximum} directory relays already. Remove one before you add another.`);
        await client.settings.update({ directoryRelays: [...others, hint] });
        environment.terminal.result('Added. It is asked about people whom your relays do not know, and so learns that you look for them.', { hint });
      });
    }));
  addVerb(directory, 'remove <key>', 'ask a relay no longer')
    .action((key: string, _options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client }) => {
        const relays = await listed(client);
        const others = relays.filter((one) => one !== key && keyOf(one) !== key.toLowerCase());
        if (others.length === relays.length) throw new WaypostError('not-found', 'This relay is not one of your directory relays.');
        await client.settings.update({ directoryRelays: [...others] });
        environment.terminal.result('Removed.', {});
      });
    }));
}
