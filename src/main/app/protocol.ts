/**
 * The `app:` scheme: our pages have an origin of their own instead of `file:`, which could read every file of the user. The scheme is
 * standard and secure, and must not bypass the content security policy.
 */
import { protocol } from 'electron';
import { serveAsset } from './assets.ts';
import { appScheme } from './origin.ts';

/** Must be called before the application is ready. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: appScheme, privileges: { standard: true, secure: true, supportFetchAPI: true } }]);
}

/** Serves the built renderer from `rendererDirectory`; call once the application is ready. */
export function serveAppScheme(rendererDirectory: string): void {
  protocol.handle(appScheme, (request) => serveAsset(rendererDirectory, request));
}
