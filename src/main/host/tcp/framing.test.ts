import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, frameDatagramMaximumBytes, FrameReader, lengthBytes } from './framing.ts';

const datagrams = fc.array(fc.uint8Array({ minLength: 1, maxLength: frameDatagramMaximumBytes }), { maxLength: 12 });

function streamOf(list: readonly Uint8Array[]): Uint8Array {
  const frames = list.map((datagram) => encodeFrame(datagram) ?? new Uint8Array(0));
  const stream = new Uint8Array(frames.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const frame of frames) {
    stream.set(frame, position);
    position += frame.length;
  }
  return stream;
}

/** Cuts at these places, whatever their order. */
function* cut(stream: Uint8Array, places: readonly number[]): Iterable<Uint8Array> {
  let position = 0;
  for (const place of [...places].map((one) => one % (stream.length + 1)).sort((left, right) => left - right)) {
    yield stream.slice(position, place);
    position = Math.max(position, place);
  }
  yield stream.slice(position);
}

describe('framing', () => {
  it('gives back every datagram, however the stream is cut', () => {
    fc.assert(fc.property(datagrams, fc.array(fc.nat(40_000), { maxLength: 40 }), (list, places) => {
      const reader = new FrameReader();
      const got: Uint8Array[] = [];
      for (const piece of cut(streamOf(list), places)) expect(reader.push(piece, (datagram) => { got.push(datagram); })).toBe(true);
      expect(got).toEqual(list);
      expect(reader.pendingBytes).toBe(0);
    }));
  });

  it('gives each datagram memory of its own', () => {
    const reader = new FrameReader();
    const stream = streamOf([Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);
    const got: Uint8Array[] = [];
    for (const piece of [stream.slice(0, 3), stream.slice(3)]) {
      reader.push(piece, (datagram) => { got.push(datagram); });
      piece.fill(9);
    }
    expect(got).toEqual([Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);
    expect(got.map(({ buffer, length }) => buffer.byteLength === length)).toEqual([true, true]);
  });

  it('ends at a length of zero or above the bound, whatever follows, and delivers what came before', () => {
    fc.assert(fc.property(fc.constantFrom(0, frameDatagramMaximumBytes + 1, 65_535), fc.uint8Array({ maxLength: 64 }), fc.array(fc.nat(200), { maxLength: 6 }), (length, rest, places) => {
      const before = streamOf([Uint8Array.of(7, 7)]);
      const stream = new Uint8Array([...before, length >>> 8, length & 0xff, ...rest]);
      const reader = new FrameReader();
      const got: Uint8Array[] = [];
      const answers = [...cut(stream, places)].map((piece) => reader.push(piece, (datagram) => { got.push(datagram); }));
      expect(answers.at(-1)).toBe(false);
      expect(got).toEqual([Uint8Array.of(7, 7)]);
      expect(reader.push(before, () => { throw new Error('delivered'); })).toBe(false);
    }));
  });

  it('never keeps more than one frame of anything', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 4_000 }), { maxLength: 20 }), (pieces) => {
      const reader = new FrameReader();
      for (const piece of pieces) {
        const isSound = reader.push(piece, (datagram) => { expect(datagram.length).toBeLessThanOrEqual(frameDatagramMaximumBytes); });
        expect(reader.pendingBytes).toBeLessThanOrEqual(lengthBytes + frameDatagramMaximumBytes);
        if (!isSound) break;
      }
    }));
  });

  it('makes no frame of nothing, or of more than the bound', () => {
    expect([encodeFrame(new Uint8Array(0)), encodeFrame(new Uint8Array(frameDatagramMaximumBytes + 1))]).toEqual([undefined, undefined]);
    expect(encodeFrame(new Uint8Array(frameDatagramMaximumBytes))?.length).toBe(lengthBytes + frameDatagramMaximumBytes);
  });
});
