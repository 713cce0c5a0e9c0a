/**
 * Hosts as relay hints name them: a DNS name, an IPv4 or an IPv6 address, in one canonical text each. Strict, because the text goes to
 * a resolver: what a URL parser would quietly turn into something else (`127.1`, `0x7f.1`, `1.2.3.04`) is no host here.
 */

/** Fits one length byte with room to spare; real relay names are shorter, and three hints must fit a record. */
export const hostMaximumCharacters = 64;

const labelPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const octetPattern = /^(?:0|[1-9][0-9]{0,2})$/;
const groupPattern = /^[0-9a-f]{1,4}$/;

/**
 * Canonical text of `text`, or undefined when it is no host: names in lower case, IPv4 without leading zeros, IPv6 without brackets in the
 * form of RFC 5952. IPv6 is recognised by its colon; zone ids are refused, they mean something on one machine only.
 */
export function canonicalHost(text: string): string | undefined {
  if (text.length === 0 || text.length > hostMaximumCharacters) return undefined;
  const lower = text.toLowerCase();
  if (lower.includes(':')) {
    const groups = parseIpv6(lower);
    return groups === undefined ? undefined : formatIpv6(groups);
  }
  const labels = lower.split('.');
  const last = labels.at(-1) ?? '';
  // Whatever ends in a number is an address or nothing, as URL parsers and resolvers see it too.
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(last)) return parseIpv4(lower) === undefined ? undefined : lower;
  return labels.every((label) => labelPattern.test(label)) ? lower : undefined;
}

function parseIpv4(text: string): readonly number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => octetPattern.test(part))) return undefined;
  const octets = parts.map(Number);
  return octets.every((octet) => octet <= 255) ? octets : undefined;
}

/** Eight groups of 16 bits (RFC 4291 section 2.2), the last two possibly written as IPv4. */
function parseIpv6(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => parseGroups(half, index === halves.length - 1));
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 8 ? head : undefined;
  if (tail === undefined || head.length + tail.length > 7) return undefined;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function parseGroups(text: string, mayEndInIpv4: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    const octets = mayEndInIpv4 && index === parts.length - 1 && part.includes('.') ? parseIpv4(part) : undefined;
    if (octets !== undefined) {
      const [first = 0, second = 0, third = 0, fourth = 0] = octets;
      groups.push(first * 256 + second, third * 256 + fourth);
    } else if (groupPattern.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

/** RFC 5952: the longest run of at least two zero groups becomes `::`, the first one on a tie; mapped IPv4 is written dotted. */
function formatIpv6(groups: readonly number[]): string {
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const octets = groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]);
    return `::ffff:${octets.join('.')}`;
  }
  let runStart = -1;
  let runLength = 1;
  for (let start = 0; start < groups.length; start += 1) {
    let length = 0;
    while (groups[start + length] === 0) length += 1;
    if (length > runLength) [runStart, runLength] = [start, length];
  }
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  return runStart < 0 ? hex(groups) : `${hex(groups.slice(0, runStart))}::${hex(groups.slice(runStart + runLength))}`;
}
