/** A channel over a stream of Node, or of what behaves like one. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Channel } from '../channel.ts';

/** `failed` is told of an error, once; the side that serves ignores it: its diallers just end. */
export function streamChannel(stream: Duplex, failed: (error: Error) => void): Channel {
  stream.on('error', failed);
  return {
    send: (bytes) => stream.write(bytes),
    async drained() { await once(stream, 'drain'); },
    onData(handler) { stream.on('data', handler); },
    end() { stream.end(); },
  };
}
