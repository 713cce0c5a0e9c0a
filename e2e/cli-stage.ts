/**
 * What a test of the command line plays on: a folder that is gone afterwards, and in it people whose visors run, and relays, as real processes.
 * None of these outlives its test.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { z } from 'zod';
import { killAll, runVerb, WaypostProcess } from '../scripts/processes/waypost-process.ts';

/** For a test: some starts of processes, each of which takes half a second, on a machine that does other things too. */
export const slowMs = 180_000;
/** For one thing to happen. */
export const deadlineMs = 60_000;
/** The same for a verb that waits by itself. */
export const timeout = ['--timeout', '60'] as const;
const listen = ['--listen', '127.0.0.1:0', '--json'] as const;

const relayLine = z.object({ hint: z.string() });
const identityLine = z.object({ publicKey: z.string() });
const errorLine = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** Somebody whose visor runs. */
export interface CliPerson { readonly directory: string; readonly publicKey: string; readonly process: WaypostProcess }
export interface Refusal { readonly code: number | undefined; readonly errorCode: string }

export interface CliStage {
  /** The folder of the test that runs. */
  readonly directory: string;
  /** Makes an identity, goes online and stays; `hint` is a relay to add. */
  begin(who: string, hint?: string): Promise<CliPerson>;
  /** Resolves with its `key@host:port`. */
  beginRelay(who: string, ...options: readonly string[]): Promise<string>;
  /** Runs a verb that has to fail with a reason, and to say nothing else. */
  refused(from: string, ...commandLine: readonly string[]): Promise<Refusal>;
}

/** Starts the visor of that folder, and stays. */
export async function runVisor(own: string): Promise<WaypostProcess> {
  const process = new WaypostProcess(own, ['run', ...listen]);
  await process.firstLine();
  return process;
}

/** A stage for each test of the file that calls this; `name` is part of the folder's. */
export function cliStage(name: string): CliStage {
  let directory = '';
  beforeEach(() => { directory = mkdtempSync(path.join(tmpdir(), `waypost-${name}-`)); });
  afterEach(async () => {
    await killAll();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  });
  return {
    get directory() { return directory; },
    async begin(who, hint) {
      const own = path.join(directory, who);
      const { publicKey } = identityLine.parse((await runVerb(own, 'init', '--name', who))[0]);
      const process = await runVisor(own);
      if (hint !== undefined) await runVerb(own, 'relays', 'add', hint);
      return { directory: own, publicKey, process };
    },
    async beginRelay(who, ...options) {
      const relay = new WaypostProcess(path.join(directory, who), ['relay', ...listen, ...options]);
      return relayLine.parse(JSON.parse(await relay.firstLine())).hint;
    },
    async refused(from, ...commandLine) {
      const verb = new WaypostProcess(from, [...commandLine, '--json']);
      const { code } = await verb.ended;
      expect(verb.lines).toEqual([]);
      return { code, errorCode: errorLine.parse(JSON.parse(verb.errorText)).error.code };
    },
  };
}
