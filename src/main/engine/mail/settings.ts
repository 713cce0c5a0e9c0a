/** The person's settings as kept in the store's named values; anything unknown or damaged reads as the default. */
import { initialSettings as defaults, settingsSchema, type Settings } from '../../../shared/views.ts';

export const settingsKey = 'settings';

export function defaultSettings(values: ReadonlyMap<string, string>): Settings {
  const text = values.get(settingsKey);
  if (text === undefined) return defaults;
  try {
    // What was kept before there were some of them has not got those.
    const parsed = settingsSchema.safeParse({ ...defaults, ...settingsSchema.partial().parse(JSON.parse(text)) });
    return parsed.success ? parsed.data : defaults;
  } catch {
    return defaults;
  }
}
