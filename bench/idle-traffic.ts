/**
 * What a visor that only waits sends and receives in an hour: two relays, nobody writes. Whole engines in simulated time. Bytes are what goes over the line, with IPv4 and UDP
 * headers (28 bytes each), and beside them those of UDP's payload alone. The first hours are for settling: a visor that was in use measures its relays more often.
 */
import { hourMs, StoryWorld } from '../src/main/host/engine-stories-testing.ts';
import type { Settings } from '../src/shared/views.ts';
import type { Figure } from './run.ts';

const headerBytes = 28;

export interface IdleHour {
  readonly datagrams: number;
  readonly bytes: number;
  /** By length and direction: `out 61` and how many. */
  readonly kinds: ReadonlyMap<string, number>;
}

/** @param lifetimeMs what is known of the router; undefined: nothing. */
export function idleHour(settings: Partial<Settings>, lifetimeMs: number | undefined): IdleHour {
  const world = new StoryWorld();
  const relays = [world.relay('one'), world.relay('two')];
  const ada = world.add('ada', lifetimeMs === undefined ? {} : {
    createNetworkCheck: () => ({
      last: undefined, mappingLifetimeMs: () => lifetimeMs,
      observed: () => undefined, bound: () => undefined, marked: () => undefined, answered: () => undefined, run: () => undefined, relaysChanged: () => undefined,
      networkChanged: () => undefined, handleTimeout: () => undefined, pollTimeout: () => undefined,
    }),
  });
  ada.addRelay(...relays);
  ada.command({ name: 'update-settings', settings });
  world.run(3 * hourMs);
  const kinds = new Map<string, number>();
  let [datagrams, bytes] = [0, 0];
  world.seen = ({ from, datagram }) => {
    const kind = `${from === ada ? 'out' : 'in'} ${String(datagram.length)}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    datagrams += 1;
    bytes += datagram.length;
  };
  const hours = 4;
  world.run(hours * hourMs);
  return { datagrams: datagrams / hours, bytes: bytes / hours, kinds };
}

const kib = (bytes: number): number => Math.round(bytes / 102.4) / 10;

export function idleTraffic(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [name, settings, lifetimeMs, aim] of [
    ['idle hour, nothing known of the router', {}, undefined, 'under 60'], ['idle hour, a router that remembers for 60 s', {}, 60_000, 'under 60'], ['idle hour, a router that remembers for 150 s or more', {}, 480_000, 'under 60'],
    ['idle hour, metered, nothing known', { metered: true }, undefined, 'under 60'], ['idle hour, metered, 150 s or more', { metered: true }, 480_000, 'under 60'],
  ] as const satisfies readonly (readonly [string, Partial<Settings>, number | undefined, string])[]) {
    const hour = idleHour(settings, lifetimeMs);
    figures.push({ name, value: kib(hour.bytes + hour.datagrams * headerBytes), unit: 'KiB', aim }, { name: `${name}, without headers`, value: kib(hour.bytes), unit: 'KiB', aim: '' });
  }
  return Promise.resolve(figures);
}
