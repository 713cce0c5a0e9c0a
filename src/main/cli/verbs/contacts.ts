/** `waypost invite` and `add`: links out, links in. */
import type { Command } from 'commander';
import { addVerb, runVerb } from '../verb.ts';

export function addContactVerbs(program: Command): void {
  addVerb(program, 'invite', 'make an invite link; whoever uses it becomes a contact')
    .action((_options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        const { link } = await client.invites.create();
        // The relays must learn of the link's token before anybody uses it.
        if (isOwn) await new Promise((resolve) => { setTimeout(resolve, environment.lingerMs); });
        environment.terminal.result(link, { link });
      });
    }));

  addVerb(program, 'add <link>', 'add a contact by invite link or address')
    .option('--name <name>', 'what to call them (default: the name in the link)')
    .action((link: string, options: { name?: string }, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        const preview = await client.contacts.preview({ link });
        const { conversationId } = await client.contacts.add({ link, ...(options.name === undefined ? {} : { name: options.name }) });
        if (isOwn) await new Promise((resolve) => { setTimeout(resolve, environment.lingerMs); });
        environment.terminal.result(`Added ${options.name ?? (preview.name === '' ? preview.publicKey : preview.name)}. Compare these words with them: ${preview.fingerprint}`, { conversationId, ...preview });
      });
    }));
}
