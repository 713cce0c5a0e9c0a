import { describe, expect, it } from 'vitest';
import { geometryOf } from '../lockstep/geometry.ts';
import { encodeSnapshot } from '../lockstep/snapshot.ts';
import { durableBytes } from './file-fetch.ts';

const name = { root: new Uint8Array(32).fill(3), length: 2_500 };

describe('what is durable of a file', () => {
  it('is nothing without a snapshot, or with one that cannot be read', () => {
    expect(durableBytes(undefined)).toBe(0);
    expect(durableBytes({ name, complete: false, snapshot: undefined })).toBe(0);
    expect(durableBytes({ name, complete: false, snapshot: new Uint8Array(3) })).toBe(0);
  });

  it('is what its snapshot says, the last leaf as short as it is', () => {
    const geometry = geometryOf(name.length, 0) ?? expect.fail();
    const snapshot = (...verified: { start: number; end: number }[]): Uint8Array => encodeSnapshot({ root: name.root, geometry, verified });
    expect(durableBytes({ name, complete: false, snapshot: snapshot({ start: 0, end: 1 }) })).toBe(1_024);
    expect(durableBytes({ name, complete: false, snapshot: snapshot({ start: 0, end: 1 }, { start: 2, end: 3 }) })).toBe(1_024 + 452);
    expect(durableBytes({ name, complete: true, snapshot: undefined })).toBe(2_500);
  });
});
