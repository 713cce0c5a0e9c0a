/** The exchange with the mailboxes and the request layer that it has in a relay, over a network that loses. */
import { describe, expect, it } from 'vitest';
import { device, RelayWorld } from '../mail/mailbox-testing.ts';
import { nobleCrypto } from '../noble-crypto.ts';
import { seededRandom } from '../session/testing.ts';
import { connectDeadlineMs } from './circuit-budget.ts';
import { CircuitExchange } from './exchange.ts';
import { token } from './exchange-testing.ts';
import { circuitOf, tunnelled, writeTunnelFrame } from './tunnel.ts';
import type { RequestBody } from '../wire/types.ts';

const owned = device(3);
const circuitBody: RequestBody = { verb: 'circuit', mailbox: owned.mailbox, token };

function relay(): { readonly world: RelayWorld; readonly exchange: CircuitExchange; readonly sent: { readonly sessionId: number; readonly circuit: number; readonly datagram: Uint8Array }[]; readonly heard: { sessionId: number; body: RequestBody }[] } {
  const world = new RelayWorld();
  const { left, right } = world.pair;
  const sent: { readonly sessionId: number; readonly circuit: number; readonly datagram: Uint8Array }[] = [];
  const heard: { sessionId: number; body: RequestBody }[] = [];
  const exchange = new CircuitExchange({
    random: seededRandom(5), crypto: nobleCrypto, request: (sessionId, body, options, now) => { right.request(sessionId, body, options, now); },
    send: (sessionId, frame) => { sent.push({ sessionId, circuit: circuitOf(frame), datagram: tunnelled(frame).slice() }); return true; },
    frameRoom: (sizeBytes) => new Uint8Array(sizeBytes), sessionsOf: (mailbox) => world.role.sessionsOf(mailbox), addressOf: (sessionId) => world.views.get(sessionId)?.address, count: () => undefined,
  });
  world.pair.driven.push(exchange);
  right.handle('circuit', (sessionId, body, answer, now) => { if (body.verb === 'circuit') exchange.wanted(sessionId, body, answer, now); });
  right.handle('hang-up', (sessionId, body, answer, now) => { if (body.verb === 'hang-up') exchange.hangUp(sessionId, body, answer, now); });
  for (const verb of ['connect', 'hang-up'] as const) {
    left.handle(verb, (sessionId, body, answer, now) => {
      heard.push({ sessionId, body });
      answer.respond(new Uint8Array(0), now);
    });
  }
  return { world, exchange, sent, heard };
}

describe('an exchange in a relay', () => {
  it('opens circuits to those who have registered, and to nobody after they left', () => {
    const { world, exchange, heard } = relay();
    const [opener, owner] = [world.connect(), world.connect(owned)];
    expect(world.role.sessionsOf(owned.mailbox)).toEqual([]);
    expect(world.verdict(opener, circuitBody)).toBe('not-found');
    expect(world.verdict(owner, { verb: 'register', tokensVersion: 0 })).toBe('ok');
    expect(world.role.sessionsOf(owned.mailbox)).toEqual([owner]);
    expect(world.verdict(opener, circuitBody)).toBe('ok');
    expect(heard.map(({ sessionId, body }) => [sessionId, body.verb])).toEqual([[owner, 'connect']]);
    world.close(owner);
    exchange.sessionClosed(owner, world.now);
    world.pair.run(1_000);
    expect(heard.map(({ sessionId, body }) => [sessionId, body.verb])).toEqual([[owner, 'connect'], [opener, 'hang-up']]);
    expect([world.verdict(opener, circuitBody), world.role.sessionsOf(owned.mailbox), exchange.sizes.sessions]).toEqual(['not-found', [], 0]);
  });

  it('opens one circuit and asks once, however often requests and answers are lost or doubled', () => {
    const { world, exchange, sent, heard } = relay();
    const [opener, owner] = [world.connect(), world.connect(owned)];
    expect(world.verdict(owner, { verb: 'register', tokensVersion: 0 })).toBe('ok');
    let frames = 0;
    world.pair.fate = () => { frames += 1; return frames % 3 === 0 ? [0, 40] : frames % 3 === 1 ? [] : [0]; };
    const outcome = world.ask(opener, circuitBody);
    const payload = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
    world.pair.run(10_000);
    const [connect] = heard;
    expect([heard.length, exchange.sizes.circuits, exchange.sizes.connects, payload?.length]).toEqual([1, 1, 0, 4]);
    if (payload === undefined || connect?.body.verb !== 'connect') throw new Error('no circuit');
    const own = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
    exchange.frame(opener, writeTunnelFrame((sizeBytes) => new Uint8Array(sizeBytes), own, new Uint8Array(1_166).fill(5)), world.now);
    expect(sent).toEqual([{ sessionId: owner, circuit: connect.body.circuit, datagram: new Uint8Array(1_166).fill(5) }]);
    world.pair.run(130_000);
    expect([heard.slice(1).map(({ body }) => body.verb), exchange.sizes]).toEqual([['hang-up', 'hang-up'], expect.objectContaining({ circuits: 0, sessions: 0, ends: 0, hangUps: 0, neighbourhoods: 0 })]);
  });

  it('says that nobody is there when the owner is silent, within the deadline', () => {
    const { world, exchange, heard } = relay();
    const [opener, owner] = [world.connect(), world.connect(owned)];
    expect(world.verdict(owner, { verb: 'register', tokensVersion: 0 })).toBe('ok');
    // Verb 22.
    world.pair.fate = (frame) => frame[0] === 1 && frame[1] === 22 ? [] : [0];
    const startedMs = world.now.monotonicMs;
    expect(world.verdict(opener, circuitBody)).toBe('not-found');
    expect([world.now.monotonicMs - startedMs <= connectDeadlineMs + 200, heard, exchange.sizes.sessions]).toEqual([true, [], 0]);
  });
});
