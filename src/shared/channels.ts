/** Names of Electron's IPC channels, spelled once for both sides. */
export const callChannel = 'waypost:call';
const notificationPrefix = 'waypost:notify:';
export const notificationChannel = (path: string): string => `${notificationPrefix}${path}`;
