/** As much of a STUN server (RFC 8489) as ICE asks for: whoever sends a binding request is told where it came from. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const headerBytes = 20;
const bindingRequest = 0x0001;
const bindingSuccess = 0x0101;
const xorMappedAddress = 0x0020;
const familyIpv4 = 1;
const magicCookie = 0x2112a442;
const addressBytes = 8;

function answer(request: Buffer, address: string, port: number): Buffer {
  const response = Buffer.alloc(headerBytes + 4 + addressBytes);
  request.copy(response, 0, 0, headerBytes);
  response.writeUInt16BE(bindingSuccess, 0);
  response.writeUInt16BE(4 + addressBytes, 2);
  response.writeUInt16BE(xorMappedAddress, headerBytes);
  response.writeUInt16BE(addressBytes, headerBytes + 2);
  response.writeUInt8(familyIpv4, headerBytes + 5);
  response.writeUInt16BE(port ^ (magicCookie >>> 16), headerBytes + 6);
  const ip = Buffer.from(address.split('.').map(Number)).readUInt32BE();
  response.writeUInt32BE((ip ^ magicCookie) >>> 0, headerBytes + 8);
  return response;
}

export async function serveStun(address: string, port: number): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (request, { address: from, port: fromPort }) => {
    if (request.length < headerBytes || request.readUInt16BE(0) !== bindingRequest || request.readUInt32BE(4) !== magicCookie) return;
    socket.send(answer(request, from, fromPort), fromPort, from);
  });
  socket.bind(port, address);
  await once(socket, 'listening');
}
