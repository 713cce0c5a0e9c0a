import { describe, expect, it } from 'vitest';
import { betweenTrialsMs, firstTrialAfterMs, MappingLifetime, nextSilenceMs } from './mapping-lifetime.ts';
import { goodForMs, KnownLifetimes, networksMaximum, nothingTried, type LifetimeBounds } from './known-lifetimes.ts';
import { observeCapability, passCapability } from './observing.ts';
import { ListeningCheck, TestPaths, type Sent } from './path-testing.ts';
import type { PassNews, SpareSocket } from './observation-port.ts';

const outside = '203.0.113.5';
const hourMs = 3_600_000;

/** A visor behind a router that forgets conversations; the main socket's are kept alive by what it sends besides. */
class Lab {
  readonly world = new TestPaths();
  readonly lifetime: MappingLifetime;
  changes = 0;
  lossShare = 0;
  lifetimeMs: number;
  #lossTurn = 0;
  #port = 41_000;
  readonly #heardMs = new Map<string, number>();

  constructor(lifetimeMs: number, values?: ReadonlyMap<string, string>) {
    this.lifetimeMs = lifetimeMs;
    for (const [key, value] of values ?? []) this.world.values.set(key, value);
    const relay = this.world.relay('192.0.2.1');
    relay.capabilities = [observeCapability, passCapability];
    this.lifetime = new MappingLifetime(this.world.observing, () => { this.changes += 1; });
    const { lifetime } = this;
    this.world.observing.check = new (class extends ListeningCheck {
      override bound(socket: SpareSocket, port: number | undefined): void { lifetime.bound(socket, port, world.now); }
      passed(news: PassNews): void { lifetime.passed(news, world.now); }
    })();
    const { world } = this;
    world.hook = (sent) => (this.#passes(sent) ? [sent] : []);
  }

  #passes({ from, to }: Sent): boolean {
    this.#lossTurn += 1;
    if (this.lossShare > 0 && (this.#lossTurn * 7) % 10 < this.lossShare * 10) return false;
    const { ms } = this.world;
    const isOutbound = from.host === outside;
    const [inner, other] = isOutbound ? [from, to] : [to, from];
    const key = `${String(inner.port)} ${other.host}:${String(other.port)}`;
    const isKept = inner.port === 40_000 || ms - (this.#heardMs.get(key) ?? -Infinity) < this.lifetimeMs;
    if (!isOutbound && !isKept) return false;
    this.#heardMs.set(key, ms);
    return true;
  }

  get packets(): number { return this.world.log.length; }

  pass(forMs: number): void {
    const { world, lifetime } = this;
    const endMs = world.ms + forMs;
    while (world.ms < endMs) {
      for (const text of world.asks.splice(0)) {
        const [verb, name] = text.split(' ');
        const socket = name as SpareSocket;
        if (verb === 'unbind') world.ports.delete(socket);
        if (verb !== 'bind') continue;
        this.#port += 1;
        world.ports.set(socket, this.#port);
        world.observing.handleBound(socket, this.#port, world.now);
      }
      world.run();
      const nextMs = lifetime.nextAtMs ?? Infinity;
      world.ms = Math.min(endMs, Math.max(nextMs, world.ms + 5));
      lifetime.handleTimeout(world.now);
      world.run();
    }
  }

  learn(forMs = hourMs): LifetimeBounds | undefined {
    this.lifetime.checked('home', this.world.now);
    this.pass(forMs);
    return this.lifetime.of('ipv4');
  }
}

describe('learning how long a router remembers', () => {
  for (const seconds of [20, 30, 60, 90, 120, 180, 300]) {
    it(`finds ${String(seconds)} s, within a quarter and never more`, () => {
      const lab = new Lab(seconds * 1_000);
      const { outlivedMs = -1, goneAfterMs = Infinity } = lab.learn() ?? {};
      expect(outlivedMs).toBeLessThanOrEqual(seconds * 1_000);
      expect(goneAfterMs).toBeGreaterThanOrEqual(seconds * 1_000);
      expect(goneAfterMs / outlivedMs).toBeLessThanOrEqual(1.26);
      // Nothing is left open, and little was sent.
      expect(lab.world.ports.size).toBe(1);
      expect(lab.packets).toBeLessThan(160);
    });
  }

  it('says at least eight minutes where nothing is forgotten, and tries no more', () => {
    const lab = new Lab(Infinity);
    expect(lab.learn()).toMatchObject({ outlivedMs: 480_000, goneAfterMs: undefined, samples: 5 });
    const sent = lab.packets;
    lab.learn(6 * hourMs);
    expect(lab.packets).toBe(sent);
  });

  it('finds that nothing is remembered for even 15 s', () => {
    expect(new Lab(10_000).learn()).toMatchObject({ outlivedMs: 0, goneAfterMs: 15_000, samples: 2 });
  });

  it('finds the same where a fifth of everything is lost', () => {
    const lab = new Lab(60_000);
    lab.lossShare = 0.2;
    const { outlivedMs = -1, goneAfterMs = Infinity } = lab.learn(4 * hourMs) ?? {};
    expect(outlivedMs).toBeLessThanOrEqual(60_000);
    expect(goneAfterMs).toBeGreaterThanOrEqual(60_000);
  });

  it('concludes nothing where the relay started anew, or is not heard any more', () => {
    for (const trouble of ['restart', 'silence'] as const) {
      const lab = new Lab(Infinity);
      lab.lifetime.checked('home', lab.world.now);
      lab.pass(firstTrialAfterMs + 20_000);
      if (trouble === 'silence') lab.world.hook = () => [];
      else {
        const { hook } = lab.world;
        const fresh = new TestPaths().relay('192.0.2.1');
        // Passes of the run before are not known to it.
        lab.world.hook = (sent) => hook(sent);
        Object.assign(lab.world.relays[0] ?? {}, { observer: fresh.observer });
      }
      lab.pass(60_000);
      expect([lab.lifetime.of('ipv4'), lab.changes]).toEqual([undefined, 0]);
    }
  });

  it('concludes nothing from a sleep, and asks nothing of relays that give no passes or of nobody', () => {
    const lab = new Lab(60_000);
    lab.lifetime.checked('home', lab.world.now);
    lab.pass(firstTrialAfterMs + 10_000);
    lab.world.ms += hourMs;
    lab.lifetime.handleTimeout(lab.world.now);
    lab.world.run();
    expect([lab.lifetime.of('ipv4'), lab.changes]).toEqual([undefined, 0]);
    const old = new Lab(60_000);
    for (const relay of old.world.relays) relay.capabilities = [observeCapability];
    expect([old.learn(), old.packets]).toEqual([undefined, 0]);
  });

  it('asks nothing of a network that is left before two minutes, and forgets which one it is in when it changes', () => {
    const lab = new Lab(60_000);
    lab.lifetime.checked('home', lab.world.now);
    lab.pass(firstTrialAfterMs - 1_000);
    lab.lifetime.networkChanged();
    lab.pass(hourMs);
    expect(lab.packets).toBe(0);
    expect(lab.learn()?.outlivedMs).toBeGreaterThan(30_000);
    lab.lifetime.networkChanged();
    expect(lab.lifetime.of('ipv4')).toBeUndefined();
    lab.lifetime.checked('elsewhere', lab.world.now);
    expect(lab.lifetime.of('ipv4')).toBeUndefined();
    lab.lifetime.checked('home', lab.world.now);
    expect(lab.lifetime.of('ipv4')?.outlivedMs).toBeGreaterThan(30_000);
  });

  it('goes on where it was after a restart', () => {
    const lab = new Lab(300_000);
    lab.learn(firstTrialAfterMs + 30_000 + 60_000 + betweenTrialsMs * 2);
    const before = lab.lifetime.of('ipv4');
    expect(before?.samples).toBeGreaterThan(0);
    const again = new Lab(300_000, lab.world.values);
    again.lifetime.checked('home', again.world.now);
    expect(again.lifetime.of('ipv4')).toMatchObject(before ?? {});
    expect(again.learn()?.samples).toBeGreaterThan(before?.samples ?? 0);
  });
});

describe('what was learned of networks', () => {
  const name = (index: number): string => index.toString(16).padStart(32, '0');
  const bounds: LifetimeBounds = { outlivedMs: 60_000, goneAfterMs: 75_000, samples: 4 };

  it('is kept for a week, of sixteen networks', () => {
    const known = new KnownLifetimes(undefined);
    let text = '';
    for (let index = 0; index <= networksMaximum; index += 1) text = known.put(name(index), bounds, 1_000);
    const again = new KnownLifetimes(text);
    expect([again.of(name(0), 1_000), again.of(name(1), 1_000)?.outlivedMs, again.of(name(networksMaximum), goodForMs)?.goneAfterMs]).toEqual([undefined, 60_000, 75_000]);
    expect(again.of(name(1), 1_000 + goodForMs)).toBeUndefined();
    again.put(name(1), bounds, goodForMs);
    // The week is of what was learned first.
    expect(again.of(name(1), 1_000 + goodForMs)).toBeUndefined();
  });

  it('is left out where it is damaged', () => {
    for (const text of ['', '{}', '[1]', '[["x",1,2,3,4]]', `[["${name(1)}",-1,0,1,1]]`, `[["${name(1)}",60000,30000,1,1]]`, `[["${name(1)}",1e12,0,1,1]]`]) expect(new KnownLifetimes(text).of(name(1), 2)).toBeUndefined();
  });

  it('is narrowed by silences that are worth their time', () => {
    expect(nextSilenceMs(nothingTried)).toBe(30_000);
    expect(nextSilenceMs({ ...nothingTried, goneAfterMs: 30_000 })).toBe(15_000);
    expect(nextSilenceMs({ ...nothingTried, goneAfterMs: 15_000 })).toBeUndefined();
    expect(nextSilenceMs({ ...nothingTried, outlivedMs: 480_000 })).toBeUndefined();
    expect(nextSilenceMs({ ...nothingTried, outlivedMs: 240_000, goneAfterMs: 480_000 })).toBe(339_000);
    expect(nextSilenceMs({ ...nothingTried, outlivedMs: 240_000, goneAfterMs: 300_000 })).toBeUndefined();
  });
});
