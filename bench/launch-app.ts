/** Starts the built app as the end-to-end specs do and reads the first contentful paint against the moment of the start. */
import { hostKind, launchApplication, mainWindow, makeProfile, removeProfile } from '../e2e/fixture.ts';

export async function launchForMeasuring(): Promise<{ readonly milliseconds: number; readonly host: string }> {
  const profile = makeProfile();
  const startedMs = Date.now();
  const application = await launchApplication({ userDataDirectory: profile });
  try {
    const window = await mainWindow(application);
    const paintedMs = await window.evaluate(() => new Promise<number>((resolve) => {
      const known = performance.getEntriesByName('first-contentful-paint')[0];
      if (known !== undefined) { resolve(performance.timeOrigin + known.startTime); return; }
      new PerformanceObserver((list) => {
        const entry = list.getEntriesByName('first-contentful-paint')[0];
        if (entry !== undefined) resolve(performance.timeOrigin + entry.startTime);
      }).observe({ type: 'paint', buffered: true });
    }));
    return { milliseconds: paintedMs - startedMs, host: hostKind };
  } finally {
    await application.close();
    removeProfile(profile);
  }
}
