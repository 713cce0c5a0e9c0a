/** Whether this machine can carry a laboratory, and what to install where it cannot. Tried rather than guessed: the kernel's parts show only in use. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { rulesOf } from './nat-rules.ts';
import { run } from './system.ts';

/** Administration programs are outside of the PATH of some shells. */
const administrationFolders = ['/usr/sbin', '/sbin'];

/** Programs and the Debian package each is in. */
const programs = [
  { program: 'ip', debianPackage: 'iproute2' },
  { program: 'bridge', debianPackage: 'iproute2' },
  { program: 'nft', debianPackage: 'nftables' },
  { program: 'flock', debianPackage: 'util-linux' },
] as const;

const trialNamespace = 'natlab-trial';

export function extendPath(): void {
  process.env['PATH'] = [process.env['PATH'] ?? '', ...administrationFolders].join(':');
}

/** The path of a program, by the PATH. */
export function locateProgram(program: string): string | undefined {
  return (process.env['PATH'] ?? '').split(':').map((folder) => path.join(folder, program)).find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Sentences, one for each thing that is missing; none where a laboratory can be built. Needs `extendPath`. */
export function missingRequirements(): readonly string[] {
  if (process.platform !== 'linux') return ['Network namespaces: they are a part of Linux.'];
  const missing: string[] = [];
  if (process.getuid?.() !== 0) missing.push('The rights of root: run it with sudo.');
  const absent = programs.filter(({ program }) => locateProgram(program) === undefined);
  if (absent.length > 0) {
    const packages = [...new Set(absent.map(({ debianPackage }) => debianPackage))];
    missing.push(`${absent.map(({ program }) => program).join(', ')}: on Debian and Ubuntu, apt-get install ${packages.join(' ')}`);
  }
  return missing.length > 0 ? missing : missingKernelParts();
}

function missingKernelParts(): readonly string[] {
  const namespace = `${trialNamespace}-${String(process.pid)}`;
  try {
    run('ip', ['netns', 'add', namespace]);
  } catch (error) {
    return [`Network namespaces, which this kernel or container does not allow: ${sentenceOf(error)}`];
  }
  const missing: string[] = [];
  const attempt = (what: string, action: () => void): void => {
    try { action(); } catch (error) { missing.push(`${what}: ${sentenceOf(error)}`); }
  };
  attempt('Pairs of virtual Ethernet devices (veth)', () => { run('ip', ['-n', namespace, 'link', 'add', 'trial0', 'type', 'veth', 'peer', 'name', 'trial1']); });
  attempt('Bridges', () => { run('ip', ['-n', namespace, 'link', 'add', 'trial2', 'type', 'bridge']); });
  attempt('VXLAN devices', () => { run('ip', ['-n', namespace, 'link', 'add', 'trial3', 'type', 'vxlan', 'id', '1', 'dstport', '4789']); });
  attempt('Routing by protocol', () => { run('ip', ['-n', namespace, 'rule', 'add', 'pref', '10', 'iif', 'lo', 'ipproto', 'udp', 'lookup', '1001']); });
  attempt('IPv6', () => { run('ip', ['-n', namespace, '-6', 'route', 'show']); accessSync('/proc/sys/net/ipv6'); });
  attempt('nftables with address translation and conntrack zones', () => {
    const rules = rulesOf({ kind: 'port-restricted', publicAddress: '198.18.1.1', lanNetwork: '10.77.1.0/24', generation: 0, isRebound: false, ports: 'random', timeoutSeconds: 120, hairpin: true, tcp: 'any' });
    run('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], rules);
  });
  run('ip', ['netns', 'del', namespace]);
  return missing;
}

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message.split('\n')[0] ?? '' : String(error));
