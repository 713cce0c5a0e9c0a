/** The command line of Waypost: `waypost VERB`. Each verb is in a file of its own; this only collects them and turns misuse into exit code 2. */
import { Command, CommanderError } from 'commander';
import { addContactVerbs } from './verbs/contacts.ts';
import { addDirectoryVerb } from './verbs/directory.ts';
import { addDoctorVerb } from './verbs/doctor.ts';
import { addGetVerb } from './verbs/get.ts';
import { addIdentityVerbs } from './verbs/identity.ts';
import { addInboxVerb } from './verbs/inbox.ts';
import { addLocalNetworkVerb } from './verbs/local-network.ts';
import { addNameVerbs } from './verbs/names.ts';
import { addNetworkVerbs } from './verbs/network.ts';
import { addRelaysVerbs } from './verbs/relays.ts';
import { addOutboxVerbs } from './verbs/outbox.ts';
import { addPeerVerbs } from './verbs/peers.ts';
import { addRelayVerb } from './verbs/relay.ts';
import { addRunVerb } from './verbs/run.ts';
import { addSendVerb } from './verbs/send.ts';
import { addSettingsVerbs } from './verbs/settings.ts';
import { addCommonOptions } from './environment.ts';
import { exitFailed, exitUsage } from './terminal.ts';

export function createProgram(): Command {
  const program = addCommonOptions(new Command())
    .name('waypost')
    .description('Messages to public keys that wait while the other side is away.')
    .showHelpAfterError('Add --help to see how it is used.')
    .exitOverride();
  const verbs = [
    addIdentityVerbs, addRunVerb, addSendVerb, addInboxVerb, addGetVerb, addNameVerbs, addOutboxVerbs, addContactVerbs, addNetworkVerbs, addLocalNetworkVerb, addRelaysVerbs, addPeerVerbs,
    addDirectoryVerb, addDoctorVerb, addRelayVerb, addSettingsVerbs,
  ];
  for (const add of verbs) add(program);
  return program;
}

/** Runs one command line (without program name); the exit code is left in `process.exitCode`. */
export async function main(commandLine: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(commandLine, { from: 'user' });
  } catch (error) {
    // Commander has written its own sentence; asking for help is no misuse.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : exitUsage;
    else {
      process.stderr.write('waypost: Something went wrong inside Waypost. (internal)\n');
      process.exitCode = exitFailed;
    }
  }
}

// A reader that ends early (`| head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : exitFailed);
});
await main(process.argv.slice(2));
