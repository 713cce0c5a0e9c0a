/** Files that a story sends: a picture that any program shows, and bytes that nobody can guess or shorten. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

export interface MadeFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: Buffer;
}

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const bytesPerPixel = 3;
/** Grain in the lowest bits keeps the picture from being squeezed to nothing. */
const grainMask = 3;

function chunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const result = Buffer.alloc(named.length + 8);
  result.writeUInt32BE(data.length, 0);
  named.copy(result, 4);
  result.writeUInt32BE(crc32(named), named.length + 4);
  return result;
}

/** A PNG of an evening over water; with the usual 640 x 480 pixels some 300 kB. */
export function eveningPng(width = 640, height = 480): Buffer {
  const rows = Buffer.alloc((width * bytesPerPixel + 1) * height);
  const grain = randomBytes(rows.length);
  const horizon = height * 0.6;
  for (let y = 0; y < height; y += 1) {
    const start = y * (width * bytesPerPixel + 1);
    const isSky = y < horizon;
    const depth = isSky ? y / horizon : (y - horizon) / (height - horizon);
    const colour = isSky ? [40 + 190 * depth, 60 + 80 * depth, 110 - 10 * depth] : [150 - 130 * depth, 90 - 50 * depth, 90 - 20 * depth];
    for (let x = 0; x < width; x += 1) {
      const isSun = (x - width * 0.68) ** 2 + (y - horizon * 0.8) ** 2 < (height * 0.09) ** 2;
      for (let part = 0; part < bytesPerPixel; part += 1) {
        const at = start + 1 + x * bytesPerPixel + part;
        rows[at] = Math.round(isSun ? [252, 220, 150][part] ?? 0 : colour[part] ?? 0) - ((grain[at] ?? 0) & grainMask);
      }
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

export function makeFile(directory: string, name: string, bytes: Buffer): MadeFile {
  const file = path.join(directory, name);
  writeFileSync(file, bytes);
  return { path: file, name, bytes };
}

export const makePicture = (directory: string, name: string, width?: number, height?: number): MadeFile => makeFile(directory, name, eveningPng(width, height));
export const makeNoise = (directory: string, name: string, sizeBytes: number): MadeFile => makeFile(directory, name, randomBytes(sizeBytes));
