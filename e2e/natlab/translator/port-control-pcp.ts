/**
 * PCP, RFC 6887, as far as one NAT44 device needs it: ANNOUNCE, and MAP for UDP with lifetime, renewal, deletion, nonce and the option PREFER_FAILURE. Every other
 * operation, protocol and mandatory option is refused with the code that the standard has for it.
 */
import { openMapping, type Asked } from './port-control-request.ts';
import { protocolUdp } from '../frame.ts';

export const pcpVersion = 2;
const headerBytes = 24;
const mapBytes = 36;
const optionHeaderBytes = 4;
/** RFC 6887 section 7. */
const messageMaximumBytes = 1_100;
const operations = { announce: 0, map: 1 } as const;
const responseBit = 0x80;
const optionPreferFailure = 2;
/** An option from here on may be left alone by whoever does not know it. */
const optionalFrom = 128;
/** Of an error that will last. */
const longErrorSeconds = 1_800;
const shortErrorSeconds = 30;

const results = {
  success: 0, unsupportedVersion: 1, notAuthorized: 2, malformedRequest: 3, unsupportedOperation: 4, unsupportedOption: 5, malformedOption: 6,
  noResources: 8, unsupportedProtocol: 9, cannotProvideExternal: 11, addressMismatch: 12,
} as const;
type Result = keyof typeof results;

const isShort = (result: Result): boolean => result === 'noResources';

/** The first twelve bytes of an IPv4 address in an IPv6 field. */
const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const;

function addressIn(bytes: Buffer, at: number): string | undefined {
  return mappedPrefix.every((byte, index) => bytes[at + index] === byte) ? bytes.subarray(at + 12, at + 16).join('.') : undefined;
}

/** The answer begins as the request: nonce, protocol and ports come back as they were. */
function answer(request: Uint8Array, bytes: number, result: Result, lifetimeSeconds: number, epochSeconds: number): Buffer {
  const response = Buffer.alloc(Math.max(headerBytes, bytes));
  response.set(request.subarray(0, response.length));
  response.writeUInt8(pcpVersion, 0);
  response.writeUInt8((request[1] ?? 0) | responseBit, 1);
  response.writeUInt8(0, 2);
  response.writeUInt8(results[result], 3);
  response.writeUInt32BE(lifetimeSeconds, 4);
  response.writeUInt32BE(Math.floor(epochSeconds), 8);
  response.fill(0, 12, headerBytes);
  return response;
}

function refusal(request: Uint8Array, result: Result, { epochSeconds }: Asked): Buffer {
  const whole = Math.min(request.length & ~3, messageMaximumBytes);
  return answer(request, whole, result, isShort(result) ? shortErrorSeconds : longErrorSeconds, epochSeconds);
}

export const pcpUnsupportedVersion = (request: Uint8Array, asked: Asked): Uint8Array =>
  answer(request, headerBytes, 'unsupportedVersion', longErrorSeconds, asked.epochSeconds);

/** Undefined: too short for an answer. */
export function answerPcp(datagram: Uint8Array, asked: Asked): Uint8Array | undefined {
  const request = Buffer.from(datagram);
  if (request.length > messageMaximumBytes || request.length % 4 !== 0) return refusal(request, 'malformedRequest', asked);
  if (request.length < headerBytes) return undefined;
  if (addressIn(request, 8) !== asked.from) return refusal(request, 'addressMismatch', asked);
  switch (request.readUInt8(1)) {
    case operations.announce: return answer(request, headerBytes, 'success', 0, asked.epochSeconds);
    case operations.map: return answerMap(request, asked);
    default: return refusal(request, 'unsupportedOperation', asked);
  }
}

function answerMap(request: Buffer, asked: Asked): Buffer {
  const bytes = headerBytes + mapBytes;
  if (request.length < bytes) return refusal(request, 'malformedRequest', asked);
  const options = optionsOf(request, bytes);
  if (typeof options === 'string') return refusal(request, options, asked);
  const lifetimeSeconds = request.readUInt32BE(4);
  const nonce = request.subarray(headerBytes, headerBytes + 12).toString('hex');
  const inside = { address: asked.from, port: request.readUInt16BE(headerBytes + 16) };
  if (request.readUInt8(headerBytes + 12) !== protocolUdp) return refusal(request, 'unsupportedProtocol', asked);
  // "All ports" needs an address for the host alone.
  if (inside.port === 0) return refusal(request, lifetimeSeconds === 0 ? 'malformedRequest' : 'unsupportedProtocol', asked);
  if (lifetimeSeconds === 0) {
    return asked.table.close(inside, nonce, asked.nowMs) ? answer(request, bytes, 'success', 0, asked.epochSeconds) : refusal(request, 'notAuthorized', asked);
  }
  const granted = Math.min(lifetimeSeconds, asked.grantMaximumSeconds);
  const suggestedPort = request.readUInt16BE(headerBytes + 18);
  const opened = openMapping(asked, { inside, suggestedPort, lifetimeSeconds: granted, nonce, isExact: options.isExact });
  switch (opened.outcome) {
    case 'not-authorized': return refusal(request, 'notAuthorized', asked);
    case 'cannot-provide': return refusal(request, 'cannotProvideExternal', asked);
    case 'no-resources': return refusal(request, 'noResources', asked);
    case 'mapped': {
      // The options that were heeded come back too.
      const response = answer(request, request.length, 'success', granted, asked.epochSeconds);
      response.writeUInt16BE(opened.port, headerBytes + 18);
      response.set([...mappedPrefix, ...asked.publicAddress.split('.').map(Number)], headerBytes + 20);
      return response;
    }
  }
}

function optionsOf(request: Buffer, from: number): { readonly isExact: boolean } | Result {
  let isExact = false;
  for (let at = from; at < request.length;) {
    if (at + optionHeaderBytes > request.length) return 'malformedOption';
    const code = request.readUInt8(at);
    const bytes = request.readUInt16BE(at + 2);
    if (code === optionPreferFailure) {
      if (bytes !== 0 || isExact) return 'malformedOption';
      isExact = true;
    } else if (code < optionalFrom) return 'unsupportedOption';
    at += optionHeaderBytes + ((bytes + 3) & ~3);
    if (at > request.length) return 'malformedOption';
  }
  return { isExact };
}
