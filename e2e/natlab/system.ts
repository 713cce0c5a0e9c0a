/** Commands of the system: the only place where programs are run and processes ended. Commands run one after the other and fail with what they said. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

export const namespaceFolder = '/run/netns';
const waitMaximumMs = 5_000;
const waitStepMs = 5;
/** Between asking a program to end and ending it. */
const endSteps = 20;
const endStepMs = 25;

/** @throws Error with the command, what it said, and its input. */
export function run(command: string, words: readonly string[], input?: string): string {
  try {
    return execFileSync(command, words, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'], ...(input === undefined ? {} : { input }) });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' && error.stderr !== '' ? error.stderr : String(error);
    throw new Error(`${command} ${words.join(' ')}: ${said.trim()}${input === undefined ? '' : `\nits input was:\n${input}`}`, { cause: error });
  }
}

/** Lines for `ip` inside a namespace, as one batch. */
export function ip(namespace: string, lines: readonly string[]): void {
  run('ip', ['-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
}

/** A shell script inside a namespace. */
export function shellIn(namespace: string, script: string): void {
  run('ip', ['netns', 'exec', namespace, 'sh', '-ec', script]);
}

export function loadRules(namespace: string, rules: string): void {
  run('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], rules);
}

export function namespacesWith(prefix: string): readonly string[] {
  return existsSync(namespaceFolder) ? readdirSync(namespaceFolder).filter((name) => name.startsWith(prefix)) : [];
}

/** A network of its own with only a loopback device, without IPv6 and without the kernel's opinions about odd routes. */
export function addNamespace(namespace: string): void {
  run('ip', ['netns', 'add', namespace]);
  shellIn(namespace, `
    echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null || true
    for file in /proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv4/conf/*/send_redirects /proc/sys/net/ipv4/conf/*/accept_redirects; do echo 0 > $file; done
    ip link set lo up`);
}

/** Of a file that stands for a namespace; none where it is gone. */
function namespacesAt(file: string): readonly string[] {
  try {
    const { dev, ino } = statSync(file);
    return [`${dev} ${ino}`];
  } catch {
    return [];
  }
}

/** In one pass over all processes: `ip netns pids` makes one for each namespace, which with hundreds of them takes half a minute. */
function processesIn(namespaces: readonly string[]): readonly number[] {
  const wanted = new Set(namespaces.flatMap((namespace) => namespacesAt(path.join(namespaceFolder, namespace))));
  const pids = readdirSync('/proc').map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  return pids.filter((pid) => namespacesAt(`/proc/${pid}/ns/net`).some((namespace) => wanted.has(namespace)));
}

/** Ends every program inside of these namespaces, and returns when none is left. */
export function endProcesses(namespaces: readonly string[]): void {
  const all = (): readonly number[] => processesIn(namespaces);
  const signal = (name: NodeJS.Signals): void => {
    for (const pid of all()) signalProcess(pid, name);
  };
  signal('SIGTERM');
  for (let step = 0; step < endSteps && all().length > 0; step += 1) pause(endStepMs);
  signal('SIGKILL');
}

/** A process that ended meanwhile is as good as signalled. */
export function signalProcess(pid: number, name: NodeJS.Signals): void {
  try { process.kill(pid, name); } catch { /* gone */ }
}

/** Blocks: taking a laboratory down is done in one go, also from an exit handler. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Resolves when `holds` does; what it throws counts as "not yet". @throws Error after five seconds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + waitMaximumMs;
  const holdsNow = (): boolean => { try { return holds(); } catch { return false; } };
  while (!holdsNow()) {
    if (Date.now() > deadlineMs) throw new Error(`gave up waiting for ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, waitStepMs); });
  }
}
