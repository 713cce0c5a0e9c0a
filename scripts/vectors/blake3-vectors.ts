/** Runs files of the official BLAKE3 format: input is the bytes 0, 1 ... 250 repeated; three modes, outputs longer than 32 bytes. */
import { blake3 } from '@noble/hashes/blake3.js';
import { equalBytes, isFields, optionalBytes, optionalText, requireList, VectorError } from './fields.ts';
import type { Fields } from './fields.ts';
import type { NamedOutcome, Outcome } from './report.ts';

const inputPeriodBytes = 251;
/** The longest official input has 100 KiB; more than this is a mistake in the file, and would only fill memory. */
const inputMaximumBytes = 64 * 1024 * 1024;

interface Modes {
  readonly key: Uint8Array | undefined;
  readonly context: Uint8Array | undefined;
}

/** One outcome for each case. Throws `VectorError` when the file as a whole is not of the format. */
export function runBlake3Vectors(file: unknown): readonly NamedOutcome[] {
  const cases = requireList(file, 'cases');
  const header: Fields = isFields(file) ? file : {};
  const modes: Modes = { key: encodeText(optionalText(header, 'key')), context: encodeText(optionalText(header, 'context_string')) };
  if (modes.key !== undefined && modes.key.length !== 32) throw new VectorError(`key has ${modes.key.length} bytes instead of 32`);
  return cases.map((entry, index) => runNamed(entry, index, modes));
}

function runNamed(entry: unknown, index: number, modes: Modes): NamedOutcome {
  if (!isFields(entry)) return { name: `case ${index}`, outcome: { kind: 'failed', reason: 'it is not an object' } };
  const inputSizeBytes = entry['input_len'];
  const name = typeof inputSizeBytes === 'number' ? `case ${index} (input_len ${inputSizeBytes})` : `case ${index}`;
  try {
    return { name, outcome: runCase(entry, modes) };
  } catch (error) {
    if (error instanceof VectorError) return { name, outcome: { kind: 'failed', reason: error.message } };
    throw error;
  }
}

function runCase(fields: Fields, modes: Modes): Outcome {
  const inputSizeBytes = fields['input_len'];
  if (typeof inputSizeBytes !== 'number' || !Number.isSafeInteger(inputSizeBytes) || inputSizeBytes < 0) throw new VectorError('input_len is not a whole number');
  if (inputSizeBytes > inputMaximumBytes) throw new VectorError(`input_len is above ${inputMaximumBytes}`);
  const input = new Uint8Array(inputSizeBytes);
  for (let index = 0; index < inputSizeBytes; index += 1) input[index] = index % inputPeriodBytes;

  let checked = 0;
  for (const mode of ['hash', 'keyed_hash', 'derive_key'] as const) {
    const expected = optionalBytes(fields, mode);
    if (expected === undefined) continue;
    if (expected.length === 0) throw new VectorError(`${mode} is empty`);
    if (!equalBytes(blake3(input, { ...modeOptions(mode, modes), dkLen: expected.length }), expected)) return { kind: 'failed', reason: `${mode} differs` };
    checked += 1;
  }
  return checked === 0 ? { kind: 'failed', reason: 'it has none of hash, keyed_hash and derive_key' } : { kind: 'passed' };
}

function modeOptions(mode: 'hash' | 'keyed_hash' | 'derive_key', { key, context }: Modes): { key?: Uint8Array; context?: Uint8Array } {
  switch (mode) {
    case 'hash':
      return {};
    case 'keyed_hash':
      if (key === undefined) throw new VectorError('the file has a keyed_hash but no key');
      return { key };
    case 'derive_key':
      if (context === undefined) throw new VectorError('the file has a derive_key but no context_string');
      return { context };
  }
}

function encodeText(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : new TextEncoder().encode(text);
}
