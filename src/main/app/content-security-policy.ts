/**
 * The content security policy of every page of the application: nothing from outside the bundle, no inline script or style, no frames,
 * no plugins, no form targets. It is sent as a response header and, as a second line, written in the built page as a meta element.
 */

const directives = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' data: blob:",
  'font-src': "'self'",
  'connect-src': "'self'",
  'worker-src': "'self'",
  'frame-src': "'none'",
  'object-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
} as const;

const serialize = (entries: readonly (readonly [string, string])[]): string => entries.map(([name, sources]) => `${name} ${sources}`).join('; ');

/** For the `Content-Security-Policy` response header. */
export const contentSecurityPolicy = serialize(Object.entries(directives));

/** For a meta element, where `frame-ancestors` has no meaning and only causes a warning (CSP 3, section 3.3). */
export const metaContentSecurityPolicy = serialize(Object.entries(directives).filter(([name]) => name !== 'frame-ancestors'));
