/**
 * IP addresses as both protocols of port control write them: 16 bytes, IPv4 in the form ::ffff:a.b.c.d (RFC 6887 section 5), or 4 bytes. Says too which addresses a
 * gateway may claim for us.
 */
import { canonicalHost } from '../../wire/host.ts';

export const addressFieldBytes = 16;
const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const;
/** "No address in particular", in the family of the asker (RFC 6887 section 5). */
export const anyIpv4Field: Uint8Array = Uint8Array.of(...mappedPrefix, 0, 0, 0, 0);
export const anyIpv6Field: Uint8Array = new Uint8Array(addressFieldBytes);

/** Undefined for anything but a literal address without a zone. */
export function addressField(text: string): Uint8Array | undefined {
  const canonical = canonicalHost(text);
  if (canonical === undefined) return undefined;
  if (!canonical.includes(':')) return /^[\d.]+$/.test(canonical) ? Uint8Array.of(...mappedPrefix, ...canonical.split('.').map(Number)) : undefined;
  if (canonical.startsWith('::ffff:') && canonical.includes('.')) return addressField(canonical.slice('::ffff:'.length));
  const [head = '', tail] = canonical.split('::');
  const groupsOf = (part: string): readonly number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const [first, last] = [groupsOf(head), groupsOf(tail ?? '')];
  const groups = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** @param field 16 bytes, or the 4 of an IPv4 address. Canonical text; undefined for any other length. */
export function addressText(field: Uint8Array): string | undefined {
  if (field.length === 4) return field.join('.');
  if (field.length !== addressFieldBytes) return undefined;
  if (isIpv4Field(field)) return field.subarray(mappedPrefix.length).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => (((field[2 * index] ?? 0) << 8) | (field[2 * index + 1] ?? 0)).toString(16));
  return canonicalHost(groups.join(':'));
}

export function isIpv4Field(field: Uint8Array): boolean {
  return field.length === addressFieldBytes && mappedPrefix.every((byte, index) => field[index] === byte);
}

/**
 * Whether somebody could be reached there at all: no unspecified, loopback, multicast or broadcast address. Private ones pass: behind two routers the inner one tells
 * such an address in good faith, and the report on the network wants to see it.
 */
export function isUnicast(field: Uint8Array): boolean {
  if (isIpv4Field(field)) {
    const first = field[mappedPrefix.length] ?? 0;
    return first !== 0 && first !== 127 && first < 224;
  }
  const isLow = field.subarray(0, 15).every((byte) => byte === 0);
  return field.length === addressFieldBytes && !isLow && field[0] !== 0xff;
}
