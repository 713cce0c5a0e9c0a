/** NAT-PMP, RFC 6886: the external address, and mappings for UDP with lifetime, renewal and deletion. Requests for TCP are refused. */
import { openMapping, type Asked } from './port-control-request.ts';

export const natPmpVersion = 0;
const operations = { address: 0, mapUdp: 1 } as const;
const responseBit = 0x80;
const mapRequestBytes = 12;
const results = { success: 0, unsupportedVersion: 1, noResources: 4, unsupportedOperation: 5 } as const;
/** The protocol has no nonce: whoever sends from a host may change its mappings. */
const natPmpNonce = 'nat-pmp';

/** Version, operation, result and epoch, with room for more behind. */
function head(operation: number, result: keyof typeof results, epochSeconds: number, bytes = 8): Buffer {
  const response = Buffer.alloc(bytes);
  response.writeUInt8(natPmpVersion, 0);
  response.writeUInt8(operation | responseBit, 1);
  response.writeUInt16BE(results[result], 2);
  response.writeUInt32BE(Math.floor(epochSeconds), 4);
  return response;
}

export const natPmpUnsupportedVersion = (request: Uint8Array, { epochSeconds }: Asked): Uint8Array => head(request[1] ?? 0, 'unsupportedVersion', epochSeconds);

/** Undefined for a request that is cut short. */
export function answerNatPmp(datagram: Uint8Array, asked: Asked): Uint8Array | undefined {
  const request = Buffer.from(datagram);
  const operation = request.readUInt8(1);
  switch (operation) {
    case operations.address: {
      const response = head(operation, 'success', asked.epochSeconds, 12);
      response.set(asked.publicAddress.split('.').map(Number), 8);
      return response;
    }
    case operations.mapUdp: return request.length < mapRequestBytes ? undefined : answerMap(request, asked);
    default: return head(operation, 'unsupportedOperation', asked.epochSeconds, 16);
  }
}

function answerMap(request: Buffer, asked: Asked): Buffer {
  const inside = { address: asked.from, port: request.readUInt16BE(4) };
  const suggestedPort = request.readUInt16BE(6);
  const lifetimeSeconds = request.readUInt32BE(8);
  const response = (result: keyof typeof results, port: number, granted: number): Buffer => {
    const bytes = head(operations.mapUdp, result, asked.epochSeconds, 16);
    bytes.writeUInt16BE(inside.port, 8);
    bytes.writeUInt16BE(port, 10);
    bytes.writeUInt32BE(granted, 12);
    return bytes;
  };
  if (lifetimeSeconds === 0) {
    // Port 0: all of this host's.
    if (inside.port === 0) asked.table.closeAll(asked.from, natPmpNonce);
    else asked.table.close(inside, natPmpNonce, asked.nowMs);
    return response('success', 0, 0);
  }
  const granted = Math.min(lifetimeSeconds, asked.grantMaximumSeconds);
  const opened = openMapping(asked, { inside, suggestedPort, lifetimeSeconds: granted, nonce: natPmpNonce, isExact: false });
  return opened.outcome === 'mapped' ? response('success', opened.port, granted) : response('noResources', 0, 0);
}
