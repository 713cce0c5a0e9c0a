/**
 * Looks whether somebody else answers for a relay at TCP port 80, as a captive portal does: it asks for a page that does not exist anywhere, once, for two seconds at
 * most, reads no more than the head of the answer, and follows nothing.
 *
 * A portal says that it is one (511, RFC 6585), or sends whoever asks for anything to a page of its own, for the time being. All else proves neither a portal nor that
 * there is none: relays have no pages, and what answers beside one may be a web server of its operator. So it counts as no answer.
 */
import { request, type IncomingMessage } from 'node:http';
import { toHex } from '../engine/wire/bytes.ts';
import type { RandomBytes } from '../engine/crypto.ts';
import type { SocketAddress } from '../engine/wire/types.ts';

const patienceMs = 2_000;
const headMaximumBytes = 4_096;
const networkAuthenticationRequired = 511;
const temporaryRedirects: ReadonlySet<number> = new Set([302, 303, 307]);

/** Pure. */
export function isPortal(asked: string, status: number | undefined, location: string | undefined): boolean {
  if (status === networkAuthenticationRequired) return true;
  if (status === undefined || !temporaryRedirects.has(status) || location === undefined) return false;
  const base = `http://${asked.includes(':') ? `[${asked}]` : asked}/`;
  if (!URL.canParse(location, base)) return false;
  const target = new URL(location, base);
  return (target.protocol === 'http:' || target.protocol === 'https:') && target.hostname !== new URL(base).hostname;
}

/** `to` is literal. Never rejects. */
export function askForPage({ host, port }: SocketAddress, random: RandomBytes): Promise<'intercepted' | 'failed'> {
  return new Promise((resolve) => {
    const end = (outcome: 'intercepted' | 'failed'): void => {
      clearTimeout(timer);
      resolve(outcome);
      asking?.destroy();
    };
    const timer = setTimeout(() => { end('failed'); }, patienceMs);
    let asking: ReturnType<typeof request> | undefined;
    try {
      asking = request({ host, port, path: `/.well-known/waypost-${toHex(random(8))}`, agent: false, maxHeaderSize: headMaximumBytes, headers: { connection: 'close' } });
      asking.on('response', (response: IncomingMessage) => {
        response.on('error', () => undefined);
        end(isPortal(host, response.statusCode, response.headers.location) ? 'intercepted' : 'failed');
      });
      // Stays: what is destroyed may still fail.
      asking.on('error', () => { end('failed'); });
      asking.end();
    } catch {
      end('failed');
    }
  });
}
