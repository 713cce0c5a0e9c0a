/** Waypost as a real process inside of the laboratory: a relay on a public host, or a visor, spoken to by the local API of its profile, which no namespace hides. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { ChildProcess } from 'node:child_process';
import { within, until } from '../../scripts/processes/waiting.ts';
import { connectControlSocket } from '../../src/main/host/control-client.ts';
import { createIdentitySecret } from '../../src/main/host/identity-setup.ts';
import { createProfileDirectory, profileAt } from '../../src/main/host/profile.ts';
import { createLocalKey, createVault, readVault } from '../../src/main/host/vault.ts';
import type { Client } from '../../src/shared/contract.ts';
import { createClient } from '../../src/shared/transport.ts';
import type { Lab } from './lab.ts';

const entry = path.join(import.meta.dirname, '../../src/main/cli/index.ts');
/** Eight of them at once on a busy machine of two processors needed more than half a minute. */
const startPatienceMs = 90_000;
const errorTailCharacters = 600;

class WaypostInside {
  readonly child: ChildProcess;
  #errors = '';
  #isEnded = false;

  constructor(lab: Lab, host: string, words: readonly string[]) {
    this.child = lab.start(host, process.execPath, [entry, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stderr?.on('data', (chunk: Buffer) => { this.#errors = (this.#errors + chunk.toString()).slice(-errorTailCharacters); });
    this.child.once('close', () => { this.#isEnded = true; });
  }

  get errorText(): string { return this.#errors; }
  get isEnded(): boolean { return this.#isEnded; }

  /** Nothing is kept that would have to be written first. */
  async kill(): Promise<void> {
    if (this.#isEnded) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.child.once('close', () => { resolve(undefined); });
    this.child.kill('SIGKILL');
    await promise;
  }
}

export interface LabRelay {
  readonly publicKey: string;
  /** Its process is gone. */
  readonly isEnded: boolean;
  stop(): Promise<void>;
}

/** Anew, or again with what it kept. */
export async function startRelay(lab: Lab, host: string, folder: string, port: number, observePort: number): Promise<LabRelay> {
  const profile = path.join(folder, host);
  mkdirSync(profile, { recursive: true });
  const relay = new WaypostInside(lab, host, ['relay', '--listen', `*:${String(port)}`, '--observe-port', String(observePort), '--profile', profile]);
  const first = Promise.withResolvers<string>();
  if (relay.child.stdout !== null) createInterface({ input: relay.child.stdout }).once('line', (line) => { first.resolve(line); });
  const hint = await within(startPatienceMs, `${host} to start`, first.promise);
  return { publicKey: hint.split('@')[0] ?? '', get isEnded() { return relay.isEnded; }, stop: () => relay.kill() };
}

export class LabVisor {
  readonly publicKey: string;
  readonly client: Client;
  readonly #process: WaypostInside;
  readonly #close: () => void;

  private constructor(publicKey: string, client: Client, process: WaypostInside, close: () => void) {
    this.publicKey = publicKey;
    this.client = client;
    this.#process = process;
    this.#close = close;
  }

  /** A new person in a new profile, or who was there before. @throws Error when it does not come up. */
  static async start(lab: Lab, host: string, directory: string, words: readonly string[] = []): Promise<LabVisor> {
    const profile = profileAt(directory);
    createProfileDirectory(profile);
    const { publicKey } = await readVault(profile.identityFile) ?? await createVault(profile.identityFile, { identitySecret: createIdentitySecret(), localKey: createLocalKey() }, { kind: 'file' }, { name: host, wordsConfirmed: true, nowMs: Date.now() });
    return LabVisor.again(lab, host, directory, publicKey, words);
  }

  /** The person of a profile that is there. @throws Error when it does not come up. */
  static async again(lab: Lab, host: string, directory: string, publicKey: string, words: readonly string[] = []): Promise<LabVisor> {
    const profile = profileAt(directory);
    const inside = new WaypostInside(lab, host, ['run', '--profile', directory, ...words]);
    try {
      const pipe = await until(`local API of ${host}`, startPatienceMs, () => {
        if (inside.isEnded) throw new Error(`The visor of ${host} ended early. It said: ${inside.errorText.trim()}`);
        return connectControlSocket(profile.controlAddress);
      });
      return new LabVisor(publicKey, createClient(pipe), inside, () => { pipe.close(); });
    } catch (error) {
      await inside.kill();
      throw error;
    }
  }

  get isEnded(): boolean { return this.#process.isEnded; }

  async stop(): Promise<void> {
    this.#close();
    await this.#process.kill();
  }
}
