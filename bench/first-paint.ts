/** App start to first contentful paint, on whichever host there is; the host is named because stand-in and Electron are not compared. */
import { launchForMeasuring } from './launch-app.ts';
import type { Figure } from './run.ts';

export async function firstPaint(): Promise<readonly Figure[]> {
  const { milliseconds, host } = await launchForMeasuring();
  return [{ name: `app start to first paint (${host})`, value: milliseconds, unit: 'ms', aim: 'none' }];
}
