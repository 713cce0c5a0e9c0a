/**
 * Chromium cannot load a scheme it was not compiled with: `app://bundle/x` becomes `https://bundle.app.invalid/x` on its side and is
 * intercepted there. The main process only ever sees the `app:` form. Pure.
 */

export function toBrowserUrl(url: string, schemes: ReadonlySet<string>): string {
  const match = /^([a-z][a-z0-9+-]*):\/\/([^/?#]*)(.*)$/is.exec(url);
  const scheme = match?.[1]?.toLowerCase() ?? '';
  return match !== null && schemes.has(scheme) ? `https://${match[2] ?? ''}.${scheme}.invalid${match[3] ?? ''}` : url;
}

export function toAppUrl(url: string, schemes: ReadonlySet<string>): string {
  const match = /^https:\/\/([^/?#]*)\.([a-z][a-z0-9+-]*)\.invalid(.*)$/is.exec(url);
  const scheme = match?.[2] ?? '';
  return match !== null && schemes.has(scheme) ? `${scheme}://${match[1] ?? ''}${match[3] ?? ''}` : url;
}

/** A scheme as a source in a content security policy (`app:`) means the mapped hosts in Chromium. */
export function toBrowserPolicy(policy: string, schemes: ReadonlySet<string>): string {
  return policy.replace(/(^|[\s;])([a-z][a-z0-9+-]*):(?=[\s;]|$)/g, (whole, before: string, scheme: string) => (schemes.has(scheme) ? `${before}https://*.${scheme}.invalid` : whole));
}
