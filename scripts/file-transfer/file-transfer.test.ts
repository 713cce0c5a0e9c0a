import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../sim/random.ts';
import { hashOf, SeededContent, writeContent } from './content.ts';
import { ImpairedProxy, type Impairment } from './impaired-proxy.ts';
import { Progress } from './progress.ts';

let directory: string;
beforeEach(() => { directory = mkdtempSync(path.join(tmpdir(), 'waypost-transfer-')); });
afterEach(() => { rmSync(directory, { recursive: true, force: true }); });

describe('Content from a seed', () => {
  it('is the same for the same seed, and has no KiB twice', async () => {
    const sizeBytes = 2 * 1_048_576 + 1_000;
    const [one, other] = [path.join(directory, 'one'), path.join(directory, 'other')];
    const hash = await writeContent(one, 'a', sizeBytes);
    expect(await writeContent(other, 'a', sizeBytes)).toBe(hash);
    expect(await hashOf(one)).toBe(hash);
    const bytes = readFileSync(one);
    expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([sizeBytes, hash]);
    const pieces = Array.from({ length: sizeBytes / 1_024 }, (_, index) => bytes.subarray(index * 1_024, (index + 1) * 1_024).toString('latin1'));
    expect(new Set(pieces).size).toBe(pieces.length);
    expect(Buffer.from(new SeededContent('b').block(0)).equals(bytes.subarray(0, 1_048_576))).toBe(false);
  });
});

describe('Progress', () => {
  it('knows when less was shown than before, and how deep it fell', () => {
    const progress = new Progress();
    [0, 10, 30, 25, 60, 20, 80].forEach((bytes, index) => { progress.note(bytes, index * 1_000); });
    expect(progress.falls).toEqual([{ fromBytes: 30, toBytes: 25 }, { fromBytes: 60, toBytes: 20 }]);
    expect([progress.deepestBytes, progress.bytes, progress.mostBytes, progress.seconds]).toEqual([40, 80, 80, 5]);
  });
});

describe('A bad link', () => {
  const sockets: Socket[] = [];
  async function open(): Promise<Socket> {
    const socket = createSocket('udp4');
    sockets.push(socket);
    const listening = once(socket, 'listening');
    socket.bind(0, '127.0.0.1');
    await listening;
    return socket;
  }
  afterEach(() => { for (const socket of sockets.splice(0)) socket.close(); });

  it('carries both ways, drops what is too long, lost or sent while it is cut, and can come from somewhere else', async () => {
    const impairment: Impairment = { loss: 0, delayMs: 0, bitsPerSecond: undefined, datagramMaximumBytes: 100 };
    const [visor, relay] = [await open(), await open()];
    const proxy = new ImpairedProxy(impairment, new SeededRandom('link'));
    try {
      const front = await proxy.listen();
      const lane = proxy.lane(visor.address().port, relay.address().port);
      const exchange = async (text: string): Promise<string> => {
        const [there, back] = [once(relay, 'message'), once(visor, 'message')];
        visor.send(text, front, '127.0.0.1');
        const [bytes, from] = await there as [Buffer, { address: string; port: number }];
        relay.send(bytes, from.port, from.address);
        expect(String((await back)[0])).toBe(text);
        return `${from.address}:${String(from.port)}`;
      };
      const first = await exchange('one');
      expect(await exchange('two')).toBe(first);
      lane.takeUp(new Uint8Array(101));
      lane.isCut = true;
      lane.takeUp(new Uint8Array(10));
      lane.isCut = false;
      lane.changeAddress();
      expect(await exchange('three')).not.toBe(first);
      expect(lane.up.crossed).toEqual({ datagrams: 3, bytes: 11, lost: 0, tooLong: 1, queueFull: 0, whileCut: 1 });
    } finally {
      proxy.close();
    }
  });

  it('loses the same datagrams for the same seed', () => {
    const lost = (seed: string): number => {
      const proxy = new ImpairedProxy({ loss: 0.1, delayMs: 60_000, bitsPerSecond: undefined, datagramMaximumBytes: 100 }, new SeededRandom(seed));
      const lane = proxy.lane(1, 9);
      for (let index = 0; index < 5_000; index += 1) lane.takeUp(new Uint8Array(10));
      const count = lane.up.crossed.lost;
      lane.close();
      return count;
    };
    expect(lost('a')).toBe(lost('a'));
    expect(lost('a')).toBeGreaterThan(350);
    expect(lost('a')).toBeLessThan(650);
  });
});
