/** The six kinds of the matrix as seen from outside, and each of its pairs by plain punching. */
import { endpointOf } from '../probe-datagrams.ts';
import { kindBehaviours, matrixKinds, natMatrix, type KindBehaviour, type MatrixCell, type MatrixKind } from '../nat-matrix.ts';
import { hostOf, sides, type PolicyBench, type Side } from './policy-bench.ts';
import type { Punched } from '../agent.ts';
import type { Dependence } from '../translator/policy.ts';

const filterTries = 3;

export async function matrix(bench: PolicyBench): Promise<void> {
  for (const kind of matrixKinds) {
    const wanted = kindBehaviours[kind];
    const found = await Promise.all(sides.map((side) => behaviourOf(bench, hostOf(side, kind))));
    bench.check(`${kind}: the mapping depends on ${wordsFor(wanted.mapping)}, the filter on ${wordsFor(wanted.filtering)}`, found.every((each) => agrees(each, wanted)), found);
  }
  // All at once: each uses sockets of its own.
  const results = await Promise.all(natMatrix.map(async (cell) => ({ cell, found: await punch(bench, cell) })));
  for (const { cell, found } of results) bench.check(promiseOf(cell), holds(cell, found), found);
}

type Found = Readonly<Record<'mapping' | 'filtering', Dependence | undefined>>;

async function behaviourOf(bench: PolicyBench, host: string): Promise<Found> {
  const socket = await bench.open(host);
  const [first, otherPort, otherAddress] = [await socket.ask(bench.server()), await socket.ask(bench.server(0, 1)), await socket.ask(bench.server(1, 0))];
  const mapping = first === undefined || otherPort === undefined || otherAddress === undefined ? undefined
    : first !== otherPort ? 'port' : first === otherAddress ? 'independent' : 'address';
  // A socket that has spoken to nobody else.
  const fresh = await bench.open(host);
  const [fromElsewhere, fromOtherPort] = [await fresh.ask(bench.server(), 'both', filterTries), await fresh.ask(bench.server(), 'port', filterTries)];
  return { mapping, filtering: fromElsewhere !== undefined ? 'independent' : fromOtherPort === undefined ? 'port' : 'address' };
}

const agrees = (found: Found, wanted: KindBehaviour): boolean => found.mapping === wanted.mapping && found.filtering === wanted.filtering;

function wordsFor(dependence: Dependence): string {
  switch (dependence) {
    case 'independent': return 'nothing';
    case 'address': return 'the address';
    case 'port': return 'address and port';
  }
}

async function punch(bench: PolicyBench, { left, right }: MatrixCell): Promise<Readonly<Record<Side, Punched>>> {
  const word = { left: `${left}>${right}`, right: `${left}<${right}` };
  const end = async (side: Side, kind: MatrixKind): Promise<{ readonly socket: Awaited<ReturnType<PolicyBench['open']>>; readonly mapped: string }> => {
    const socket = await bench.open(hostOf(side, kind));
    return { socket, mapped: await socket.ask(bench.server()) ?? '' };
  };
  const [a, b] = await Promise.all([end('left', left), end('right', right)]);
  const [foundLeft, foundRight] = await Promise.all([a.socket.punch(endpointOf(b.mapped), word.left, word.right), b.socket.punch(endpointOf(a.mapped), word.right, word.left)]);
  return { left: foundLeft, right: foundRight };
}

function promiseOf({ left, right, best, listener }: MatrixCell): string {
  const way = listener === undefined ? 'neither hears the other' : `only ${listener === 'left' ? left : right} hears the other`;
  return best === 'plain' ? `${left} and ${right} reach each other by plain punching` : `${left} and ${right} need ${best === 'relay' ? 'the relay' : 'prediction'}: by plain punching ${way}`;
}

function holds({ best, listener }: MatrixCell, found: Readonly<Record<Side, Punched>>): boolean {
  if (best === 'plain') return sides.every((side) => found[side].hears && found[side].isHeard);
  return sides.every((side) => found[side].hears === (listener === side) && !found[side].isHeard);
}
