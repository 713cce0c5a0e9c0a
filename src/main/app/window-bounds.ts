/** Where the window was last time, kept in a small file of the profile. The file is an outside input: anything odd in it means the default. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

/** Below this the three columns of the window no longer fit. */
export const minimumWidthPixels = 720;
export const minimumHeightPixels = 520;
const defaultWidthPixels = 1100;
const defaultHeightPixels = 720;
/** So much of a remembered window must lie on some display, or its title bar could be out of reach. */
const visiblePixels = 100;
/** Coordinates beyond this are no display's. */
const coordinateLimitPixels = 100_000;

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const coordinate = z.number().int().min(-coordinateLimitPixels).max(coordinateLimitPixels);
const savedSchema = z.object({
  x: coordinate,
  y: coordinate,
  width: z.number().int().min(minimumWidthPixels).max(coordinateLimitPixels),
  height: z.number().int().min(minimumHeightPixels).max(coordinateLimitPixels),
  isMaximized: z.boolean(),
});

/** What the file holds, in device-independent pixels. */
export type SavedBounds = Readonly<z.infer<typeof savedSchema>>;

/** Either a full place, or only a size, which lets the system choose the place. */
export type StartBounds = { readonly width: number; readonly height: number; readonly isMaximized: boolean; readonly x?: number; readonly y?: number };

function overlap(startA: number, lengthA: number, startB: number, lengthB: number): number {
  return Math.min(startA + lengthA, startB + lengthB) - Math.max(startA, startB);
}

/** Takes the saved place if enough of it is on a display, else the default size. */
export function chooseBounds(saved: SavedBounds | undefined, displays: readonly Rectangle[]): StartBounds {
  const fits = (display: Rectangle, bounds: SavedBounds): boolean =>
    overlap(bounds.x, bounds.width, display.x, display.width) >= visiblePixels &&
    overlap(bounds.y, bounds.height, display.y, display.height) >= visiblePixels &&
    // The title bar is at the top: it must not be above the display.
    bounds.y >= display.y - 1;
  if (saved !== undefined && displays.some((display) => fits(display, saved))) return saved;
  return { width: defaultWidthPixels, height: defaultHeightPixels, isMaximized: false };
}

export function parseBounds(text: string): SavedBounds | undefined {
  try {
    return savedSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export function readBounds(file: string): SavedBounds | undefined {
  try {
    return parseBounds(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Losing this file costs the user nothing worth an error, so failures are ignored. */
export function writeBounds(file: string, bounds: SavedBounds): void {
  try {
    writeFileSync(`${file}.new`, JSON.stringify(bounds));
    renameSync(`${file}.new`, file);
  } catch {
    // The next start uses the default place.
  }
}
