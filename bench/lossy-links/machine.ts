/** What the figures were measured on and with. */
import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import path from 'node:path';

const modules = path.join(import.meta.dirname, '../peers/node_modules');
const settings = '/proc/sys/net/ipv4';
const policyField = 41;
/** Number and name of the process. */
const fieldsBeforeState = 2;

export const isHyperdhtInstalled = (): boolean => existsSync(path.join(modules, 'hyperdht'));

function versionOf(name: string): string {
  const { version } = JSON.parse(readFileSync(path.join(modules, name, 'package.json'), 'utf8')) as { readonly version: string };
  return version;
}

/** The kernel's own choice, and what Linux mostly comes with, where it has it. */
export function congestionControls(): readonly string[] {
  const read = (name: string): string => readFileSync(path.join(settings, name), 'utf8').trim();
  const usual = read('tcp_congestion_control');
  const available = read('tcp_available_congestion_control').split(' ');
  return [usual, ...['cubic', 'bbr'].filter((name) => name !== usual && available.includes(name))];
}

/** Field 41 of proc(5): 0 is the usual one, 1 and 2 are real-time policies. */
function isRealTime(): boolean {
  const text = readFileSync('/proc/self/stat', 'utf8');
  const afterName = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return ['1', '2'].includes(afterName[policyField - fieldsBeforeState - 1] ?? '');
}

export function machineText(): string {
  const processors = cpus();
  const peers = isHyperdhtInstalled() ? `, hyperdht ${versionOf('hyperdht')} (udx-native ${versionOf('udx-native')})` : '';
  const load = loadavg().map((value) => value.toFixed(1)).join(' ');
  return `${processors.length} cores of ${processors[0]?.model ?? 'an unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}${peers}; load ${load}, ${isRealTime() ? 'real-time' : 'usual'} scheduling`;
}
