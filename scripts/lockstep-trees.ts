/**
 * `node scripts/lockstep-trees.ts --trees N --most-leaves M`: contents of random numbers of leaves up to M, in order and in random order. The root must be
 * the BLAKE3 hash that @noble/hashes finds, what arrives must be what was sent, and in order the verifier may hold no more than floor(log2 n) + 2 hashes.
 * What is too large for a unit test is done here; every number of leaves from 1 to 1,100 is in verifier.test.ts.
 */
import { parseArgs } from 'node:util';
import { blake3 } from '@noble/hashes/blake3.js';
import { SeededRandom } from '../sim/random.ts';
import { TestPublisher, noise } from '../src/main/engine/lockstep/testing.ts';

const leafBytes = 1_024;
const unitLeaves = 1_100;
/** A kept fragment with its hashes takes more room than its leaf. */
const keptBytesPerLeaf = leafBytes + 96;

/** One stretch of noise again and again, with its number in front of each leaf: no two leaves are alike. */
function contentOf(sizeBytes: number, seed: number): Uint8Array {
  const stretch = noise(64 * leafBytes, seed | 1);
  const content = new Uint8Array(sizeBytes);
  for (let offset = 0; offset < sizeBytes; offset += stretch.length) content.set(stretch.subarray(0, sizeBytes - offset), offset);
  const view = new DataView(content.buffer);
  for (let offset = 0; offset + 4 <= sizeBytes; offset += leafBytes) view.setUint32(offset, offset / leafBytes);
  return content;
}

/** The first thing that is wrong. */
function problemOf(publisher: TestPublisher, isInOrder: boolean, random: SeededRandom): string | undefined {
  const { leafCount, content } = publisher;
  const receiver = publisher.receiver(isInOrder ? {} : { keptMaximumBytes: leafCount * keptBytesPerLeaf }).takeProofs(publisher);
  const { verifier } = receiver;
  const inOrder = Array.from({ length: leafCount }, (_, index) => index);
  const hashesMaximum = Math.floor(Math.log2(leafCount)) + 2;
  for (const index of isInOrder ? inOrder : random.shuffled(inOrder)) {
    const verdict = verifier.takeFragment(index, publisher.fragment(index), 1);
    if (verdict !== 'verified' && (isInOrder || verdict !== 'kept')) return `leaf ${String(index)} is ${verdict}`;
    if (isInOrder && verifier.valueCount > hashesMaximum) return `${String(verifier.valueCount)} hashes are held at leaf ${String(index)}`;
  }
  if (!verifier.isComplete || verifier.keptCount > 0 || receiver.refusals.length > 0) return 'it does not end';
  return Buffer.compare(receiver.received, content) === 0 ? undefined : 'what came is not what was sent';
}

const { values } = parseArgs({ options: { trees: { type: 'string', default: '4' }, 'most-leaves': { type: 'string', default: '16384' }, seed: { type: 'string', default: '20261121' } } });
const [trees, mostLeaves, seed] = [Number(values.trees), Number(values['most-leaves']), Number(values.seed)];
const random = new SeededRandom(`lockstep trees ${String(seed)}`);
process.stdout.write(`seed ${String(seed)}\n`);
let [passed, failed] = [0, 0];
for (let tree = 0; tree < trees; tree += 1) {
  // The largest of all is always among them; the others are spread over the orders of magnitude.
  const leafCount = tree === 0 ? mostLeaves : Math.floor(random.logarithmic(unitLeaves, mostLeaves));
  const content = contentOf(leafCount * leafBytes - random.integer(0, leafBytes - 1), seed + tree);
  const publisher = new TestPublisher(content, 0);
  const problems = [
    Buffer.compare(publisher.record.root, blake3(content)) === 0 ? undefined : 'the root is not its BLAKE3 hash',
    problemOf(publisher, true, random),
    problemOf(publisher, false, random),
  ].filter((problem) => problem !== undefined);
  if (problems.length === 0) passed += 1;
  else failed += 1;
  process.stdout.write(`${problems.length === 0 ? 'ok    ' : 'FAILED'} ${String(leafCount)} leaves, ${String(content.length)} bytes${problems.map((problem) => `: ${problem}`).join('')}\n`);
}
process.stdout.write(`${String(passed)} passed, ${String(failed)} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
