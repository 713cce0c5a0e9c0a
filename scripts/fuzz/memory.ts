/** Resident memory of another process. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const kibibyte = 1_024;

/** Bytes, or undefined where the system does not say. */
export function residentBytes(processId: number): number | undefined {
  try {
    const text = process.platform === 'linux'
      ? /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1]
      : execFileSync('ps', ['-o', 'rss=', '-p', String(processId)], { encoding: 'utf8' }).trim();
    const kibibytes = Number(text);
    return text === undefined || !Number.isFinite(kibibytes) ? undefined : kibibytes * kibibyte;
  } catch {
    return undefined;
  }
}
