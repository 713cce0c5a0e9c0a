/** `waypost run`: a visor without a window, which other commands and programs reach through the local API. */
import type { Command } from 'commander';
import { formatHostPort } from '../../host/api/presenter.ts';
import type { RuntimeEnd } from '../../host/visor-runtime.ts';
import type { RunningVisor } from '../environment.ts';
import { parseListenAddress } from '../listen-address.ts';
import { exitFailed } from '../terminal.ts';
import { addVerb, runVerb } from '../verb.ts';

/** Waits for Ctrl+C, a termination signal, or `visor.stop` over the API; then stops cleanly. */
export async function runUntilStopped(running: RunningVisor): Promise<void> {
  const signalled = Promise.withResolvers<RuntimeEnd>();
  const onSignal = (): void => { signalled.resolve({ kind: 'stop-requested' }); };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  const end = await Promise.race([signalled.promise, running.runtime.ended]);
  await running.stop();
  if (end.kind === 'crashed') process.exitCode = exitFailed;
}

export function addRunVerb(program: Command): void {
  addVerb(program, 'run', 'run the visor of this profile until Ctrl+C')
    .option('--listen <host:port>', 'where to listen for UDP (default: all addresses, a port that the system chooses)')
    .action((options: { listen?: string }, command: Command) => runVerb(command, async (environment) => {
      const listen = options.listen === undefined ? { host: undefined, port: 0 } : parseListenAddress(options.listen);
      const vault = await environment.vault();
      const contents = await environment.open(vault);
      const running = await environment.start({ visor: true, relay: undefined, listenHost: listen.host, listenPort: listen.port, confirmClock: false }, { contents, vault });
      const where = formatHostPort(running.runtime.listen.host, running.runtime.listen.port);
      environment.terminal.result(`Waypost runs as ${vault.publicKey}, UDP ${where}. End it with Ctrl+C.`, { publicKey: vault.publicKey, listen: where, processId: process.pid });
      await runUntilStopped(running);
    }));
}
