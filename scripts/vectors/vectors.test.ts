/** The vector runner meets files that it cannot trust. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { nobleCrypto } from '../../src/main/engine/noble-crypto.ts';
import { runBlake3Vectors } from './blake3-vectors.ts';
import { isFields, requireList, VectorError } from './fields.ts';
import type { Fields } from './fields.ts';
import { runNoiseVectors } from './noise-vectors.ts';
import { report } from './report.ts';

const folder = mkdtempSync(join(tmpdir(), 'vectors-'));
afterAll(() => rmSync(folder, { recursive: true }));

const noisePath = fileURLToPath(new URL('../../test-vectors/noise-25519-chachapoly-sha256.json', import.meta.url));
const script = fileURLToPath(new URL('../vectors.ts', import.meta.url));
const noiseVectors = requireList(JSON.parse(readFileSync(noisePath, 'utf8')), 'vectors').filter(isFields);

function vectorNamed(pattern: string): Fields {
  const vector = noiseVectors.find((fields) => fields['protocol_name'] === `Noise_${pattern}_25519_ChaChaPoly_SHA256`);
  if (vector === undefined) throw new Error(`no vector of ${pattern}`);
  return vector;
}

const runOne = (fields: unknown) => runNoiseVectors({ vectors: [fields] }, nobleCrypto)[0]?.outcome;
const without = (fields: Fields, ...names: readonly string[]): Fields => Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));

function runScript(...parameters: readonly string[]): { status: number | null; lines: readonly string[]; errors: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...parameters], { encoding: 'utf8' });
  return { status, lines: stdout.trimEnd().split('\n'), errors: stderr };
}

function fileWith(content: string): string {
  const path = join(folder, 'file.json');
  writeFileSync(path, content);
  return path;
}

describe('a Noise vector', () => {
  it('passes without the fields that a file may leave out', () => {
    expect(runOne(without(vectorNamed('IK'), 'handshake_hash', 'init_remote_static'))).toEqual({ kind: 'passed' });
    expect(runOne(without(vectorNamed('KK'), 'init_remote_static', 'resp_remote_static'))).toEqual({ kind: 'passed' });
    expect(runOne(without(vectorNamed('N'), 'resp_ephemeral', 'init_static'))).toEqual({ kind: 'passed' });
  });

  it('fails, saying what is missing, without a field that it needs', () => {
    expect(runOne(without(vectorNamed('XX'), 'init_ephemeral'))).toEqual({ kind: 'failed', reason: 'init_ephemeral is missing' });
    expect(runOne(without(vectorNamed('XX'), 'resp_static'))).toEqual({ kind: 'failed', reason: 'the responder of XX needs a static key' });
    expect(runOne(without(vectorNamed('XXpsk3'), 'init_psks'))).toEqual({ kind: 'failed', reason: 'XXpsk3 needs 1 pre-shared keys, got 0' });
    expect(runOne(without(vectorNamed('XX'), 'messages'))).toEqual({ kind: 'failed', reason: 'there is no list named "messages"' });
    expect(runOne({})).toEqual({ kind: 'failed', reason: 'it has no protocol_name' });
    expect(runOne(17)).toEqual({ kind: 'failed', reason: 'it is not an object' });
  });

  it.each([
    ['init_static', 'abc', 'init_static has an odd number of hex digits'],
    ['init_static', 'zz', 'init_static has characters that are not hex digits'],
    ['init_static', 'abcd', 'init_static has 2 bytes instead of 32'],
    ['init_static', 17, 'init_static is not a text'],
    ['init_psks', 'ab', 'init_psks is not a list'],
    ['handshake_hash', 'ab', 'the handshake hash differs'],
    // A changed prologue shows where the first tag is made.
    ['resp_prologue', 'ab', 'handshake message 1 differs'],
    ['messages', [], 'it ends after 0 of 3 handshake messages'],
    ['messages', [{ payload: '' }], 'ciphertext is missing'],
    ['messages', ['text'], 'message 0 is not an object'],
  ])('with %s = %j fails with a sentence', (name, value, reason) => {
    expect(runOne({ ...vectorNamed('XX'), [name]: value })).toEqual({ kind: 'failed', reason });
  });

  it('fails when the last digit of any ciphertext is another', () => {
    for (const vector of [vectorNamed('XX'), vectorNamed('X'), vectorNamed('NNpsk0')]) {
      const messages = requireList(vector, 'messages').filter(isFields);
      for (const [index, message] of messages.entries()) {
        const ciphertext = String(message['ciphertext']);
        const changed = `${ciphertext.slice(0, -1)}${ciphertext.endsWith('0') ? '1' : '0'}`;
        const outcome = runOne({ ...vector, messages: messages.with(index, { ...message, ciphertext: changed }) });
        expect(outcome?.kind === 'failed' ? outcome.reason : outcome?.kind).toContain(`message ${index} differs`);
      }
    }
  });

  it.each([
    [{ protocol_name: 'Noise_XX_448_ChaChaPoly_SHA256' }, 'Diffie-Hellman function other than 25519'],
    [{ protocol_name: 'Noise_XXfallback_25519_ChaChaPoly_SHA256' }, 'fallback modifier'],
    [{ ...vectorNamed('IK'), fallback: true }, 'fallback handshake'],
    [{ ...vectorNamed('IK'), fail: true }, 'a handshake that is meant to fail'],
  ])('that is not supported is skipped with a reason', (fields, reason) => {
    expect(runOne(fields)).toEqual({ kind: 'skipped', reason });
  });

  it('runs when optional flags are spelled out as false', () => {
    expect(runOne({ ...vectorNamed('IK'), fallback: false, fail: false })).toEqual({ kind: 'passed' });
  });

  it('never makes the runner throw anything but a sentence, whatever JSON it is', () => {
    fc.assert(fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(vectorNamed('XX'))), (value, name) => {
      expect(runOne({ ...vectorNamed('NN'), [name]: value })).toBeDefined();
      try {
        runNoiseVectors(value, nobleCrypto);
        runBlake3Vectors(value);
      } catch (error) {
        expect(error).toBeInstanceOf(VectorError);
      }
    }), { numRuns: 60 });
  });
});

describe('a BLAKE3 case', () => {
  const run = (fields: unknown, header: Fields = {}) => runBlake3Vectors({ ...header, cases: [fields] })[0]?.outcome;
  const emptyHash = 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262';

  it('passes with the modes that it has', () => {
    expect(run({ input_len: 0, hash: emptyHash })).toEqual({ kind: 'passed' });
  });

  it.each([
    [{ input_len: 1, hash: emptyHash }, 'hash differs'],
    [{ input_len: 0 }, 'it has none of hash, keyed_hash and derive_key'],
    [{ input_len: -1, hash: emptyHash }, 'input_len is not a whole number'],
    [{ input_len: { toString: 1 }, hash: emptyHash }, 'input_len is not a whole number'],
    [{ input_len: 1e12, hash: emptyHash }, 'input_len is above 67108864'],
    [{ input_len: 0, hash: 'abc' }, 'hash has an odd number of hex digits'],
    [{ input_len: 0, hash: '' }, 'hash is empty'],
    [{ input_len: 0, keyed_hash: emptyHash }, 'the file has a keyed_hash but no key'],
    [{ input_len: 0, derive_key: emptyHash }, 'the file has a derive_key but no context_string'],
    ['text', 'it is not an object'],
  ])('%j fails with a sentence', (fields, reason) => {
    expect(run(fields)).toEqual({ kind: 'failed', reason });
  });

  it('cannot run at all with a key that is not 32 bytes', () => {
    expect(() => run({ input_len: 0, hash: emptyHash }, { key: 'short' })).toThrow('key has 5 bytes instead of 32');
  });
});

describe('the report', () => {
  it('names failures without control characters, counts skips by reason and ends with the totals', () => {
    const { lines, exitCode } = report([
      { name: 'a', outcome: { kind: 'passed' } },
      { name: 'b\u001b[2J', outcome: { kind: 'failed', reason: 'it differs' } },
      { name: 'c', outcome: { kind: 'skipped', reason: 'other hash' } },
      { name: 'd', outcome: { kind: 'skipped', reason: 'other hash' } },
    ]);
    expect(lines).toEqual(['FAILED b?[2J: it differs', 'skipped 2: other hash', '1 passed, 1 failed, 2 skipped']);
    expect(exitCode).toBe(1);
  });

  it('is a failure when nothing passed', () => {
    expect(report([{ name: 'a', outcome: { kind: 'skipped', reason: 'other hash' } }]).exitCode).toBe(1);
    expect(report([{ name: 'a', outcome: { kind: 'passed' } }]).exitCode).toBe(0);
  });
});

describe('the command', () => {
  it('runs the file of the project', () => {
    const { status, lines } = runScript('noise', noisePath);
    expect([status, lines.at(-1)]).toEqual([0, '59 passed, 0 failed, 0 skipped']);
  });

  it.each([
    ['not JSON', () => fileWith('{'), 'it is not JSON'],
    ['an empty file', () => fileWith(''), 'it is not JSON'],
    ['JSON of another kind', () => fileWith('[1]'), 'there is no list named "vectors"'],
    ['a folder', () => folder, 'it is not a regular file'],
    ['a file that does not exist', () => join(folder, 'none.json'), 'it cannot be read (ENOENT)'],
  ])('meets %s with a sentence and exit code 1', (_, path, sentence) => {
    const { status, lines, errors } = runScript('noise', path());
    expect([status, lines.at(-1)]).toEqual([1, '0 passed, 0 failed, 0 skipped']);
    expect(errors).toContain(sentence);
    expect(errors).not.toContain('    at ');
  });

  it('shows how it is used when it is called otherwise', () => {
    for (const { status, errors } of [runScript('noise'), runScript('sha1', noisePath)]) {
      expect(status).toBe(1);
      expect(errors).toContain('usage');
    }
  });
});
