/** Names of Electron's IPC channels, spelled once for both sides. */
export const callChannel = 'waypost:call';
const notificationPrefix = 'waypost:notify:';
export const notificationChannel = (path: string): string => `${notificationPrefix}${path}`;
/** Of files that the person gives to a window: see `file-grants.ts`. */
export const fileGrantChannel = 'waypost:file-grant';
export const filePickChannel = 'waypost:file-pick';
export const fileReleaseChannel = 'waypost:file-release';
