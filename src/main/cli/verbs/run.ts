/** `waypost run`: a visor without a window, which other commands and programs reach through the local API. */
import type { Command } from 'commander';
import { WaypostError } from '../../../shared/errors.ts';
import { createClient } from '../../../shared/transport.ts';
import { canonicalHost } from '../../engine/wire/host.ts';
import { formatHostPort } from '../../host/api/presenter.ts';
import type { RuntimeEnd } from '../../host/visor-runtime.ts';
import type { RunningVisor } from '../environment.ts';
import { parseListenAddress, parsePort } from '../listen-address.ts';
import { parseSize } from '../sizes.ts';
import { exitFailed } from '../terminal.ts';
import { addVerb, runVerb } from '../verb.ts';

/** Ctrl+C and termination signals from now on. To be asked for before it is said that anything runs: whoever reads that may end it at once. */
export function stopSignals(): Promise<RuntimeEnd> {
  const signalled = Promise.withResolvers<RuntimeEnd>();
  const onSignal = (): void => { signalled.resolve({ kind: 'stop-requested' }); };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  return signalled.promise;
}

/** Waits for such a signal, or `visor.stop` over the API; then stops cleanly. */
export async function runUntilStopped(running: RunningVisor, signalled: Promise<RuntimeEnd>): Promise<void> {
  const end = await Promise.race([signalled, running.runtime.ended]);
  await running.stop();
  if (end.kind === 'crashed') process.exitCode = exitFailed;
}

/** With less, a single conversation would use it up. */
const hourMinimumBytes = 2 ** 20;

interface RunOptions {
  readonly listen?: string;
  /** Undefined: as it was set last. */
  readonly carryForFriends?: boolean;
  readonly carryPort?: string;
  readonly carryAnnounce?: string;
  readonly carryBudget?: string;
}

interface CarryOptions {
  readonly port: number | undefined;
  readonly announce: { readonly host: string; readonly port: number } | undefined;
  readonly hourBytes: number | undefined;
}

function parseAnnounce(text: string): { readonly host: string; readonly port: number } {
  const [, ipv6, name, portText = ''] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]@/\s]+)):(\d{1,5})$/.exec(text.trim()) ?? [];
  const host = canonicalHost(ipv6 ?? name ?? '');
  if (host === undefined) throw new WaypostError('invalid-argument', `"${text.slice(0, 80)}" is not an address that others could use. --carry-announce takes a name or address and a port, such as me.example.org:7400 or [2001:db8::1]:7400.`);
  const port = parsePort(portText, '--carry-announce', -1);
  if (port === 0) throw new WaypostError('invalid-argument', '--carry-announce needs the port by which others come in.');
  return { host, port };
}

const carryOptionsOf = ({ carryPort, carryAnnounce, carryBudget }: RunOptions, listenPort: number): CarryOptions => ({
  port: carryPort === undefined ? undefined : parsePort(carryPort, '--carry-port', listenPort),
  announce: carryAnnounce === undefined ? undefined : parseAnnounce(carryAnnounce),
  hourBytes: carryBudget === undefined ? undefined : parseSize(carryBudget, '--carry-budget', hourMinimumBytes),
});

/** The relay beside this visor, for friends while the person has agreed to that. Returns how both end. */
async function startCarrying({ runtime }: RunningVisor, directory: string, localKey: Uint8Array, options: CarryOptions): Promise<() => Promise<void>> {
  // Loaded when there is a visor: many verbs get by without.
  const [{ FriendCarrier }, { LocalRelay }] = await Promise.all([import('../../host/friend-carrier.ts'), import('../../host/local-relay.ts')]);
  const relay = new LocalRelay({ directory, localKey, allowed: [runtime.publicKey], restarted: () => { carrier.restarted(); } });
  const carrier = new FriendCarrier({ runtime, relay, directory, ...options });
  carrier.start();
  return async () => { await Promise.allSettled([carrier.stop(), relay.stop()]); };
}

export function addRunVerb(program: Command): void {
  addVerb(program, 'run', 'run the visor of this profile until Ctrl+C')
    .option('--listen <host:port>', 'where to listen for UDP (default: all addresses, a port that the system chooses)')
    .option('--carry-for-friends', 'hold mail and carry packets for your contacts, where they can reach this computer (stays on until --no-carry-for-friends)')
    .option('--no-carry-for-friends', 'carry for nobody')
    .option('--carry-port <port>', 'UDP port for friends (default: the system chooses, and it stays the same)')
    .option('--carry-announce <host:port>', 'where friends reach that port, if you have opened it yourself (default: found out)')
    .option('--carry-budget <size>', 'what may be carried live in an hour (default: 256MiB)')
    .action((options: RunOptions, command: Command) => runVerb(command, async (environment) => {
      const listen = options.listen === undefined ? { host: undefined, port: 0 } : parseListenAddress(options.listen);
      const carrying = carryOptionsOf(options, listen.port);
      const vault = await environment.vault();
      const contents = await environment.open(vault);
      const running = await environment.start({ visor: true, relay: undefined, listenHost: listen.host, listenPort: listen.port, confirmClock: false }, { contents, vault });
      const where = formatHostPort(running.runtime.listen.host, running.runtime.listen.port);
      const signalled = stopSignals();
      environment.terminal.result(`Waypost runs as ${vault.publicKey}, UDP ${where}. End it with Ctrl+C.`, { publicKey: vault.publicKey, listen: where, processId: process.pid });
      const { carryForFriends } = options;
      if (carryForFriends !== undefined) await createClient(running.runtime.pipe).settings.update({ carryForFriends });
      const stopCarrying = await startCarrying(running, environment.profile.relayDirectory, contents.localKey, carrying);
      await runUntilStopped({ runtime: running.runtime, stop: async () => { await stopCarrying(); await running.stop(); } }, signalled);
    }));
}
