/** `waypost relay`: carries mail for others. Its first line is the hint that people add: `key@host:port`. */
import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import { WaypostError } from '../../../shared/errors.ts';
import { createClient } from '../../../shared/transport.ts';
import { isPublicKeyHex } from '../../engine/wire/identity.ts';
import { relayPeersMaximum } from '../../engine/directory/relay-peers.ts';
import { formatRelayHint, parseRelayHint } from '../../engine/wire/relay-hint.ts';
import type { RelayHint } from '../../engine/wire/types.ts';
import { createIdentitySecret } from '../../host/identity-setup.ts';
import { createProfileDirectory } from '../../host/profile.ts';
import type { TcpListen } from '../../host/tcp/tcp-carrier.ts';
import { tcpPortDefault } from '../../engine/overlay/tcp-ports.ts';
import { createLocalKey, createVault, readVault, type VaultFile } from '../../host/vault.ts';
import type { Environment } from '../environment.ts';
import { isLoopback, parseListenAddress, parsePort, reachableHost } from '../listen-address.ts';
import { parseSize } from '../sizes.ts';
import { addVerb, runVerb } from '../verb.ts';
import { runUntilStopped, stopSignals } from './run.ts';

/** With less, hardly a photo would find room. */
const heldMinimumBytes = 2 ** 20;

interface RelayOptions {
  readonly listen: string;
  readonly announce?: string;
  readonly confirmClock?: boolean;
  readonly allow?: readonly string[];
  readonly holdPerRecipient?: string;
  readonly observePort?: string;
  readonly peer?: readonly string[];
  readonly tcpListen?: string;
}

/**
 * Under a flood V8 lets its young generation grow to 128 MiB and keeps it, with nothing in it. A relay runs for months on small machines, and
 * what a datagram leaves behind is collected as cheaply in a small one. Has to come before the load, and holds for the storage thread too.
 */
function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** A relay needs no ceremony: its identity is made at the first start. */
async function relayVault(environment: Environment): Promise<VaultFile> {
  createProfileDirectory(environment.profile);
  const found = await readVault(environment.profile.identityFile);
  if (found !== undefined) return found;
  const passphrase = await environment.passphrase();
  const contents = { identitySecret: createIdentitySecret(), localKey: createLocalKey() };
  const protection = passphrase === undefined ? ({ kind: 'file' } as const) : ({ kind: 'passphrase', passphrase } as const);
  return createVault(environment.profile.identityFile, contents, protection, { name: '', wordsConfirmed: false, nowMs: Date.now() });
}

function allowed(keys: readonly string[] | undefined): 'open' | { readonly list: readonly string[] } {
  if (keys === undefined) return 'open';
  const list = keys.map((key) => key.toLowerCase());
  const wrong = list.find((key) => !isPublicKeyHex(key));
  if (wrong !== undefined) throw new WaypostError('invalid-argument', `"${wrong.slice(0, 80)}" is not a public key. --allow takes keys of 66 hexadecimal digits.`);
  return { list };
}

function peersOf(texts: readonly string[] | undefined): readonly RelayHint[] {
  const peers = (texts ?? []).map((text) => {
    const hint = parseRelayHint(text);
    if (hint === undefined) throw new WaypostError('bad-relay', `"${text.slice(0, 80)}" is not the link of a relay. --peer takes key@host:port, as the other relay prints it when it starts.`);
    return hint;
  });
  if (peers.length > relayPeersMaximum) throw new WaypostError('invalid-argument', `A relay asks at most ${relayPeersMaximum} peers. Name fewer with --peer.`);
  return peers;
}

/**
 * Asked for, it has to be there; otherwise a relay does without. One on loopback has no use for it: no network lies between that could let UDP not pass.
 * @throws WaypostError `invalid-argument`
 */
function tcpListenOf(text: string | undefined, host: string | undefined): TcpListen | undefined {
  if (text === 'none') return undefined;
  if (text !== undefined) return { ...parseListenAddress(text), isRequired: true };
  return host !== undefined && isLoopback(host) ? undefined : { host, port: tcpPortDefault, isRequired: false };
}

export function addRelayVerb(program: Command): void {
  addVerb(program, 'relay', 'run a relay that keeps mail for others')
    .requiredOption('--listen <host:port>', 'where to listen for UDP, such as 0.0.0.0:7400')
    .option('--announce <host>', 'name or address that others reach it by (default: found out)')
    .option('--confirm-clock', 'the clock of this machine is right although it jumped: let letters expire again')
    .option('--allow <keys...>', 'only these public keys may have a mailbox here (default: everybody)')
    .option('--observe-port <port>', 'second UDP port, by which visors learn what their network does to packets (default: the system chooses)')
    .option('--peer <hints...>', 'relays (key@host:port) that are asked where somebody is whose mail is not kept here; at most 8')
    .option('--tcp-listen <host:port>', 'where to take TCP, for networks that let no UDP pass, or none (default: port 443 of the same address, where this system allows it, and none on loopback)')
    .option('--hold-per-recipient <size>', 'files held for one recipient who is away, such as 2GiB (default: 256MiB)')
    .action((options: RelayOptions, command: Command) => runVerb(command, async (environment) => {
      keepYoungGenerationSmall();
      const listen = parseListenAddress(options.listen);
      const registration = allowed(options.allow);
      const held = options.holdPerRecipient === undefined ? {} : { heldPerRecipientBytes: parseSize(options.holdPerRecipient, '--hold-per-recipient', heldMinimumBytes) };
      const observePort = options.observePort === undefined ? undefined : parsePort(options.observePort, '--observe-port', listen.port);
      const peers = peersOf(options.peer);
      const tcpListen = tcpListenOf(options.tcpListen, listen.host);
      const vault = await relayVault(environment);
      const contents = await environment.open(vault);
      const running = await environment.start(
        { visor: false, relay: { registration, peers, ...held }, listenHost: listen.host, listenPort: listen.port, observePort, tcpListen, confirmClock: options.confirmClock === true },
        { contents, vault },
      );
      const { host, port } = running.runtime.listen;
      const hint = formatRelayHint({ publicKey: vault.publicKey, host: options.announce ?? reachableHost(host), port });
      const signalled = stopSignals();
      environment.terminal.result(hint, { hint, publicKey: vault.publicKey, port, processId: process.pid });
      const { counters } = await createClient(running.runtime.pipe).visor.statistics();
      if (tcpListen !== undefined) {
        const tcpPort = counters['host.tcp.listenPort'] ?? 0;
        environment.terminal.note(tcpPort > 0
          ? `Takes TCP on port ${String(tcpPort)} too, for people whose network lets no UDP pass.`
          : `TCP port ${String(tcpListen.port)} could not be had, so people whose network lets no UDP pass do not reach this relay. Let Waypost listen there (on Linux: CAP_NET_BIND_SERVICE), or name another port with --tcp-listen.`);
      }
      if (counters['relay.expirySuspended'] === 1) {
        environment.terminal.note('The clock of this machine has moved by more than a day since the relay last ran, so no message expires. Check the clock, then start with --confirm-clock.');
      }
      await runUntilStopped(running, signalled);
    }));
}
