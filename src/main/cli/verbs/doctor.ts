/** `waypost doctor`: what the network does to Waypost's packets, in sentences, in facts and in numbers. */
import type { Command } from 'commander';
import { networkFacts } from '../../../shared/network-facts.ts';
import { networkLines } from '../../../shared/network-sentences.ts';
import { doctorWords, hasAnswer } from '../doctor-words.ts';
import { exitFailed } from '../terminal.ts';
import { addVerb, runVerb } from '../verb.ts';

export function addDoctorVerb(program: Command): void {
  addVerb(program, 'doctor', 'check the network: what works, what does not, what was not checked')
    .addHelpText('after', '\nTakes less than five seconds. Exit code: 0 when a relay is connected or answered, 1 when none did or the check could not be made.')
    .action((_options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        const checked = await client.network.check();
        const { view } = await client.state.snapshot();
        const { report, checkedAtMs } = checked;
        environment.terminal.result(doctorWords(checked, view.connection, Date.now()), {
          isRunning: !isOwn, checkedAtMs, connection: view.connection, lines: networkLines(report), facts: networkFacts(report), report,
        });
        if (view.connection.relaysConnected === 0 && !hasAnswer(report)) process.exitCode = exitFailed;
      });
    }));
}
