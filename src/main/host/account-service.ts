/**
 * The `account` group of the contract: an identity is made, restored or unlocked here, and with it the visor starts. It lives in the main
 * process, beside the key store; the secret never leaves it except to the engine's thread and, once, as words to write down.
 */
import type { AccountView, Handlers } from '../../shared/contract.ts';
import { WaypostError } from '../../shared/errors.ts';
import { wordsFromSecretKey } from '../engine/wire/identity.ts';
import { createIdentitySecret, identitySecretFromHex, identitySecretFromWords } from './identity-setup.ts';
import type { Profile } from './profile.ts';
import { createLocalKey, createVault, describeVault, openVault, readVault, type Protection, type SecretSealer, type VaultContents, type VaultFile } from './vault.ts';

/** A visor that failed to start is tried again when somebody asks for it, but not at every call of a busy window. */
const startRetryMs = 2_000;

/** What the service needs of a running visor. */
export interface AccountVisor {
  rename(name: string): Promise<void>;
  wordsConfirmed(): Promise<void>;
}

export interface AccountOptions<Visor extends AccountVisor> {
  readonly profile: Profile;
  /** Undefined where the system has no key store worth the name. */
  readonly sealer: SecretSealer | undefined;
  readonly platform: string;
  start(contents: VaultContents, about: { readonly name: string }): Promise<Visor>;
  changed(view: AccountView): void;
  readonly nowMs: () => number;
}

export class AccountService<Visor extends AccountVisor> {
  readonly handlers: Handlers['account'];
  readonly #options: AccountOptions<Visor>;
  #vault: VaultFile | undefined;
  #contents: VaultContents | undefined;
  #visor: Promise<Visor> | undefined;
  #failedAtMs: number | undefined;
  /** One change of the vault at a time: two clicks on "Create" make one identity. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: AccountOptions<Visor>) {
    this.#options = options;
    this.handlers = {
      status: () => Promise.resolve(this.view),
      create: ({ name, passphrase }) => this.#inTurn(() => this.#adopt(createIdentitySecret(), name, passphrase, false)),
      restore: ({ name, words, secretKey, passphrase }) => this.#inTurn(() => this.#adopt(secretFrom(words, secretKey), name, passphrase, true)),
      unlock: ({ passphrase }) => this.#inTurn(() => this.#unlock(passphrase)),
      revealWords: () => Promise.resolve({ words: wordsFromSecretKey(this.#opened().identitySecret) }),
      confirmWords: ({ answers }) => this.#confirmWords(answers),
      rename: ({ name }) => this.#rename(name),
    };
  }

  get view(): AccountView {
    const { sealer, platform } = this.#options;
    const phase = this.#contents !== undefined ? 'ready' : this.#vault !== undefined ? 'locked' : 'none';
    return { phase, protection: this.#vault?.protection ?? (sealer === undefined ? 'unavailable' : 'os'), platform };
  }

  /** Reads the profile and opens it where that needs nobody; a locked or damaged one stays as it is. @throws WaypostError when it is damaged. */
  async resume(): Promise<void> {
    this.#vault = await readVault(this.#options.profile.identityFile);
    if (this.#vault === undefined || this.#vault.protection === 'passphrase') return;
    try {
      this.#contents = await openVault(this.#vault, { sealer: this.#options.sealer });
    } catch (error) {
      if (error instanceof WaypostError && error.code === 'identity-locked') return;
      throw error;
    }
    this.#announce();
    void this.visor().catch(() => undefined);
  }

  /** The running visor; starts it again after a failure. @throws WaypostError `no-identity`, `identity-locked`, or why it does not start. */
  visor(): Promise<Visor> {
    const contents = this.#contents;
    const vault = this.#vault;
    if (contents === undefined || vault === undefined) return Promise.reject(this.#notOpen());
    const failedAtMs = this.#failedAtMs;
    if (this.#visor !== undefined && (failedAtMs === undefined || this.#options.nowMs() - failedAtMs < startRetryMs)) return this.#visor;
    this.#failedAtMs = undefined;
    const starting = this.#start(contents, vault);
    this.#visor = starting;
    starting.catch(() => { this.#failedAtMs = this.#options.nowMs(); });
    return starting;
  }

  /** The visor ended by itself: the next one who asks starts it again. */
  visorEnded(): void {
    this.#visor = undefined;
  }

  async #start(contents: VaultContents, vault: VaultFile): Promise<Visor> {
    const visor = await this.#options.start(contents, { name: vault.name });
    // The vault is where this is remembered before there is a database.
    if (vault.wordsConfirmed) await visor.wordsConfirmed();
    return visor;
  }

  #notOpen(): WaypostError {
    return this.#vault === undefined
      ? new WaypostError('no-identity', 'There is no identity yet. Create one, or restore yours.')
      : new WaypostError('identity-locked', 'This identity is locked. Unlock it first.');
  }

  #opened(): VaultContents {
    if (this.#contents === undefined) throw this.#notOpen();
    return this.#contents;
  }

  async #adopt(identitySecret: Uint8Array, name: string, passphrase: string | undefined, wordsConfirmed: boolean): Promise<AccountView> {
    const contents: VaultContents = { identitySecret, localKey: createLocalKey() };
    this.#vault = await createVault(this.#options.profile.identityFile, contents, this.#protection(passphrase), { name, wordsConfirmed, nowMs: this.#options.nowMs() });
    this.#contents = contents;
    await this.visor();
    this.#announce();
    return this.view;
  }

  #protection(passphrase: string | undefined): Protection {
    if (passphrase !== undefined) return { kind: 'passphrase', passphrase };
    const { sealer } = this.#options;
    if (sealer !== undefined) return { kind: 'os', sealer };
    throw new WaypostError('invalid-argument', 'The key store of this system is not available. Choose a passphrase to protect your identity.');
  }

  async #unlock(passphrase: string): Promise<AccountView> {
    if (this.#contents !== undefined) return this.view;
    if (this.#vault === undefined) throw this.#notOpen();
    this.#contents = await openVault(this.#vault, { sealer: this.#options.sealer, passphrase });
    await this.visor();
    this.#announce();
    return this.view;
  }

  async #confirmWords(answers: readonly { readonly position: number; readonly word: string }[]): Promise<{ correct: boolean }> {
    const words = wordsFromSecretKey(this.#opened().identitySecret);
    const asked = new Set(answers.map((answer) => answer.position));
    const correct = asked.size === answers.length && answers.every(({ position, word }) => words[position] === word.trim().toLowerCase());
    if (!correct) return { correct: false };
    this.#vault = await describeVault(this.#options.profile.identityFile, { wordsConfirmed: true });
    await (await this.visor()).wordsConfirmed();
    return { correct: true };
  }

  async #rename(name: string): Promise<undefined> {
    await (await this.visor()).rename(name);
    this.#vault = await describeVault(this.#options.profile.identityFile, { name });
    return undefined;
  }

  #announce(): void {
    this.#options.changed(this.view);
  }

  #inTurn<T>(action: () => Promise<T> | T): Promise<T> {
    const next = this.#turn.then(action, action);
    this.#turn = next.catch(() => undefined);
    return next;
  }
}

function secretFrom(words: string | undefined, secretKey: string | undefined): Uint8Array {
  if (words !== undefined && secretKey === undefined) return identitySecretFromWords(words);
  if (secretKey !== undefined && words === undefined) return identitySecretFromHex(secretKey);
  throw new WaypostError('invalid-argument', 'Enter either the 24 words or the secret key.');
}
