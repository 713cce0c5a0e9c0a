/** Which of several offered places are used, when some of them are false. */
import { describe, expect, it } from 'vitest';
import { OfferTrials, turnMs, unansweredMaximum, usedMaximum, type Candidate } from './offer-trials.ts';

const minuteMs = 60_000;

class World {
  readonly offers = new Map<string, { contact: string; hint: { publicKey: string; host: string; port: number }; hasAnswered: boolean }>();
  readonly connected = new Set<string>();
  /** Places where the relay really is. */
  readonly true = new Set<string>();
  readonly begun: { readonly contact: string; readonly host: string; readonly atMs: number }[] = [];
  ms = 0;
  #used = new Map<string, string>();
  readonly trials = new OfferTrials<Candidate>((relay) => this.connected.has(relay));

  offer(contact: string, relay: string, host: string): void { this.offers.set(contact, { contact, hint: { publicKey: relay, host, port: 1 }, hasAnswered: false }); }

  /** As the visor does: dials what is chosen, and says when it answers. */
  choose(): readonly string[] {
    for (;;) {
      const chosen = this.trials.choose([...this.offers.values()], { monotonicMs: this.ms, wallMs: this.ms });
      const used = new Map([...chosen].map(([relay, { hint }]) => [relay, hint.host]));
      for (const [relay, { contact, hint: { host } }] of chosen) {
        if (this.#used.get(relay) === host) continue;
        this.begun.push({ contact, host, atMs: this.ms });
        this.connected.delete(relay);
      }
      this.#used = used;
      let hasNews = false;
      for (const [relay, { contact, hint: { host } }] of chosen) {
        if (!this.true.has(host) || this.connected.has(relay)) continue;
        this.connected.add(relay);
        const offer = this.offers.get(contact);
        if (offer !== undefined) offer.hasAnswered = true;
        hasNews = true;
      }
      if (!hasNews) return [...used.values()];
    }
  }

  run(forMs: number): readonly string[] {
    const endMs = this.ms + forMs;
    let chosen = this.choose();
    while (this.trials.nextMs <= endMs) {
      expect(this.trials.nextMs).toBeGreaterThan(this.ms);
      this.ms = this.trials.nextMs;
      chosen = this.choose();
    }
    this.ms = endMs;
    return chosen;
  }
}

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => String(index));

describe('places that have never answered', () => {
  it('are used a few at once, and each has its turn', () => {
    const world = new World();
    for (const name of names(10)) world.offer(`contact ${name}`, `relay ${name}`, `host ${name}`);
    expect(world.choose().length).toBe(unansweredMaximum);
    for (let turn = 0; turn < 10; turn += 1) expect(world.run(turnMs).length).toBe(unansweredMaximum);
    expect(new Set(world.begun.map(({ host }) => host)).size).toBe(10);
    expect(world.begun.length).toBeLessThanOrEqual(unansweredMaximum * 11);
  });

  it('are left for no other as long as nobody else waits', () => {
    const world = new World();
    for (const name of names(unansweredMaximum)) world.offer(`contact ${name}`, `relay ${name}`, `host ${name}`);
    world.run(100 * turnMs);
    expect(world.begun.length).toBe(unansweredMaximum);
    expect(world.trials.nextMs).toBe(Infinity);
  });

  it('do not keep those from being used that answer', () => {
    const world = new World();
    for (const name of names(6)) world.offer(`liar ${name}`, `relay ${name}`, `false ${name}`);
    for (const name of names(10)) { world.offer(`friend ${name}`, `stone ${name}`, `true ${name}`); world.true.add(`true ${name}`); }
    const used = world.run(5 * turnMs);
    expect(used.filter((host) => world.true.has(host)).length).toBe(usedMaximum);
    expect(used.length).toBe(usedMaximum);
  });
});

describe('several offers of one relay', () => {
  it('are used in turns until one answers, whoever was first', () => {
    const world = new World();
    world.offer('liar', 'stone', 'false');
    world.run(minuteMs);
    world.offer('friend', 'stone', 'true');
    world.true.add('true');
    expect(world.run(turnMs)).toEqual(['true']);
    expect(world.trials.inUse('stone')).toBe('friend');
    expect(world.run(100 * turnMs)).toEqual(['true']);
    expect(world.begun.map(({ host }) => host)).toEqual(['false', 'true']);
  });

  it('change nothing for the one that is there', () => {
    const world = new World();
    world.offer('friend', 'stone', 'true');
    world.true.add('true');
    world.run(minuteMs);
    world.offer('liar', 'stone', 'false');
    world.run(100 * turnMs);
    expect(world.begun.map(({ host }) => host)).toEqual(['true']);
  });

  it('give way also when the one in use has answered once and then no more', () => {
    const world = new World();
    world.offer('liar', 'stone', 'once');
    world.true.add('once');
    world.run(minuteMs);
    world.true.delete('once');
    world.connected.delete('stone');
    world.offer('friend', 'stone', 'true');
    world.true.add('true');
    expect(world.run(2 * turnMs)).toEqual(['true']);
  });
});

describe('who moves again and again', () => {
  it.each(['to other places', 'by taking back and offering again'])('%s is followed with pauses that double, up to five minutes', (how) => {
    const world = new World();
    for (let second = 0; second < 3_600; second += 1) {
      if (how === 'to other places') world.offer('liar', 'stone', `victim ${String(second)}`);
      else if (second % 2 === 0) world.offer('liar', 'stone', 'victim');
      else world.offers.clear();
      world.run(1_000);
    }
    // At once, and after 8, 16, 32, 64, 128, 256 and then 300 seconds.
    expect(world.begun.length).toBeGreaterThan(8);
    expect(world.begun.length).toBeLessThanOrEqual(7 + Math.ceil((3_600 - 504) / 300));
  });

  it('is followed at once who stayed for long', () => {
    const world = new World();
    for (let hour = 0; hour < 5; hour += 1) {
      world.offer('friend', 'stone', `place ${String(hour)}`);
      world.run(60 * minuteMs);
    }
    expect(world.begun.map(({ atMs }) => atMs / minuteMs)).toEqual([0, 60, 120, 180, 240]);
  });
});
