import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mediaTypeOf, pictureType, unknownMediaType } from './media-type.ts';

const bytesOf = (...parts: readonly (string | readonly number[])[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? Array.from(part, (character) => character.charCodeAt(0)) : [...part])));
const heads = {
  'image/png': bytesOf([0x89], 'PNG\r\n', [0x1a], '\n', [0, 0, 0, 13], 'IHDR'),
  'image/jpeg': bytesOf([0xff, 0xd8, 0xff, 0xe0, 0, 16], 'JFIF'),
  'image/gif': bytesOf('GIF89a', [1, 0, 1, 0]),
  'image/webp': bytesOf('RIFF', [1, 2, 3, 4], 'WEBPVP8 '),
} as const;
const nothing = new Uint8Array(0);

describe('kinds of files', () => {
  it.each(Object.entries(heads))('knows %s by its first bytes, whatever picture its name says', (type, head) => {
    expect(pictureType(head)).toBe(type);
    for (const name of ['a.png', 'a.JPEG', 'a.gif', 'a.webp', 'screenshot', 'a.unknown']) expect(mediaTypeOf(name, head), name).toBe(type);
  });

  it.each(['a.png', 'a.jpg', 'a.gif', 'a.webp'])('takes %s for nothing known when its bytes are no picture', (name) => {
    for (const head of [nothing, bytesOf('<svg xmlns='), bytesOf('RIFF', [0, 0, 0, 0], 'WAVEfmt ')]) expect(mediaTypeOf(name, head)).toBe(unknownMediaType);
  });

  it('goes by the name for everything else, though it begins like a picture', () => {
    expect(mediaTypeOf('notes.TXT', heads['image/gif'])).toBe('text/plain');
    expect(mediaTypeOf('archive.tar.gz', nothing)).toBe('application/gzip');
    for (const name of ['', 'README', '.txt.', 'a.constructor', 'a.__proto__']) expect(mediaTypeOf(name, nothing), name).toBe(unknownMediaType);
  });

  it('never takes a drawing with scripts for a picture', () => {
    for (const text of ['<svg', '<?xml version="1.0"?><svg', '\ufeff<svg']) expect(pictureType(new TextEncoder().encode(text))).toBeUndefined();
    expect(mediaTypeOf('a.svg', bytesOf('<svg'))).toBe('image/svg+xml');
  });

  it('gives a media type of bounded length for any name and bytes', () => {
    fc.assert(fc.property(fc.string(), fc.uint8Array({ maxLength: 20 }), (name, head) => {
      expect(mediaTypeOf(name, head)).toMatch(/^[a-z]+\/[a-z0-9.+-]{1,80}$/);
    }));
  });
});
