/** Sizes as people type them: `512MiB`, `2GiB`, with units of 1,024 as disks are counted here, or of 1,000 as `GB`. */
import { WaypostError } from '../../shared/errors.ts';

const unitBytes = { B: 1, kB: 1_000, MB: 1_000_000, GB: 1_000_000_000, TB: 1_000_000_000_000, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;
const unitNames = new Map(Object.entries(unitBytes).map(([name, bytes]) => [name.toLowerCase(), bytes]));
const pattern = /^(\d{1,9}(?:\.\d{1,3})?) ?([a-z]{1,3})$/i;

/** Whole bytes. `option` is named in the sentence. @throws WaypostError `invalid-argument` for another form, and below `minimumBytes`. */
export function parseSize(text: string, option: string, minimumBytes: number): number {
  const match = pattern.exec(text.trim());
  const unit = unitNames.get(match?.[2]?.toLowerCase() ?? '');
  const sizeBytes = match === null || unit === undefined ? Number.NaN : Math.round(Number(match[1]) * unit);
  if (!Number.isSafeInteger(sizeBytes)) throw new WaypostError('invalid-argument', `"${text.slice(0, 32)}" is not a size. ${option} takes a number and a unit, such as 512MiB or 2GiB.`);
  if (sizeBytes < minimumBytes) throw new WaypostError('invalid-argument', `${option} takes at least ${minimumBytes / 2 ** 20}MiB.`);
  return sizeBytes;
}
