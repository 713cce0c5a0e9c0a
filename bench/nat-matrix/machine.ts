/** What was measured with, and on what. */
import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import path from 'node:path';
import { traversers } from './registry.ts';

const modules = path.join(import.meta.dirname, '../peers/node_modules');
const packageFile = (name: string): string => path.join(modules, name, 'package.json');

/** Those of a system's packages that are not installed. */
export function missingPackages(name: string): readonly string[] {
  return (traversers[name]?.packages ?? []).filter((each) => !existsSync(packageFile(each)));
}

export function versionsOf(names: readonly string[]): readonly string[] {
  const packages = new Set(names.flatMap((name) => traversers[name]?.packages ?? []));
  return [...packages].map((name) => `${name} ${(JSON.parse(readFileSync(packageFile(name), 'utf8')) as { readonly version: string }).version}`);
}

export const loadText = (): string => loadavg().map((value) => value.toFixed(1)).join(' ');

export function machineText(): string {
  const processors = cpus();
  return `${processors.length} cores of ${processors[0]?.model ?? 'an unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}; load ${loadText()}`;
}
