/** `waypost init`, `restore` and `address`: the identity of a profile. They need no network and start no visor. */
import type { Command } from 'commander';
import { WaypostError } from '../../../shared/errors.ts';
import { fingerprintWords, wordsFromSecretKey } from '../../engine/wire/identity.ts';
import { cleanName } from '../../engine/wire/names.ts';
import { createIdentitySecret, identitySecretFromHex, identitySecretFromWords } from '../../host/identity-setup.ts';
import { lockProfile } from '../../host/profile.ts';
import { createLocalKey, createVault, type VaultFile } from '../../host/vault.ts';
import { unprotectedWarning, type Environment } from '../environment.ts';
import { readStandardInput } from '../standard-input.ts';
import { addVerb, runVerb } from '../verb.ts';

const wordsMaximumBytes = 4_096;
const nameMaximumCharacters = 64;

async function adopt(environment: Environment, identitySecret: Uint8Array, name: string | undefined, wordsConfirmed: boolean): Promise<VaultFile> {
  const chosen = cleanName(name ?? '');
  if (name !== undefined && (chosen === '' || name.length > nameMaximumCharacters)) throw new WaypostError('invalid-argument', 'A name has between 1 and 64 characters.');
  const passphrase = await environment.passphrase();
  const lock = await lockProfile(environment.profile);
  try {
    return await createVault(
      environment.profile.identityFile,
      { identitySecret, localKey: createLocalKey() },
      passphrase === undefined ? { kind: 'file' } : { kind: 'passphrase', passphrase },
      { name: chosen, wordsConfirmed, nowMs: Date.now() },
    );
  } finally {
    lock.release();
  }
}

function show(environment: Environment, vault: VaultFile, words: readonly string[] | undefined): void {
  const { terminal } = environment;
  terminal.result(vault.publicKey, { publicKey: vault.publicKey, address: vault.publicKey, fingerprint: fingerprintWords(vault.publicKey), protection: vault.protection, ...(words === undefined ? {} : { words }) });
  if (words !== undefined && !terminal.isJson) terminal.result(words.map((word, index) => `${String(index + 1).padStart(2)}. ${word}`).join('\n'), undefined);
  if (vault.protection === 'file') terminal.note(unprotectedWarning);
}

export function addIdentityVerbs(program: Command): void {
  addVerb(program, 'init', 'make a new identity in the profile and print its address')
    .option('--name <name>', 'how you introduce yourself to others')
    .option('--words', 'also print the 24 words that bring the identity back; write them down')
    .action((options: { name?: string; words?: boolean }, command: Command) => runVerb(command, async (environment) => {
      const secret = createIdentitySecret();
      const vault = await adopt(environment, secret, options.name, false);
      show(environment, vault, options.words === true ? wordsFromSecretKey(secret) : undefined);
    }));

  addVerb(program, 'restore', 'bring an identity back from its 24 words, read from the input stream')
    .option('--name <name>', 'how you introduce yourself to others')
    .option('--secret-key', 'the input is a Skywire secret key of 64 hexadecimal digits instead')
    .action((options: { name?: string; secretKey?: boolean }, command: Command) => runVerb(command, async (environment) => {
      if (process.stdin.isTTY) environment.terminal.note(options.secretKey === true ? 'Type the secret key, then Ctrl+D.' : 'Type the 24 words, then Ctrl+D.');
      const text = await readStandardInput(wordsMaximumBytes);
      const secret = options.secretKey === true ? identitySecretFromHex(text) : identitySecretFromWords(text);
      show(environment, await adopt(environment, secret, options.name, true), undefined);
    }));

  addVerb(program, 'address', 'print the address of this profile')
    .action((_options: unknown, command: Command) => runVerb(command, async (environment) => {
      const { publicKey } = await environment.vault();
      const fingerprint = fingerprintWords(publicKey);
      environment.terminal.result(publicKey, { publicKey, address: publicKey, fingerprint });
    }));
}
