/** Own relays as a check of the network wants them: those that can be asked now, and all of them with what is known. */
import type { RelayRow } from '../mail/visor-store.ts';
import type { OwnRelay } from '../path/observation-port.ts';
import type { ConnectedRelay } from '../path/observing.ts';
import { isTcpAddress } from '../wire/tcp-address.ts';
import type { RelayLinks } from './relay-links.ts';

export function* connectedRelays(links: RelayLinks | undefined): Iterable<ConnectedRelay> {
  for (const link of links?.all ?? []) {
    const session = link.purpose === 'own' && link.state === 'connected' ? links?.session(link) : undefined;
    // Probes are UDP, also where the session is not.
    const address = session === undefined || !isTcpAddress(session.address) ? session?.address : link.address;
    if (session !== undefined && address !== undefined) yield { relay: link.hint.publicKey, sessionId: session.id, address, capabilities: session.remoteCapabilities };
  }
}

export function* ownRelays(links: RelayLinks | undefined, rows: ReadonlyMap<string, RelayRow>): Iterable<OwnRelay> {
  for (const link of links?.all ?? []) {
    if (link.purpose !== 'own') continue;
    const session = link.state === 'connected' ? links?.session(link) : undefined;
    const { publicKey, host, port } = link.hint;
    yield {
      relay: publicKey, name: rows.get(publicKey)?.role === 'local' ? 'this computer' : `${host.includes(':') ? `[${host}]` : host}:${String(port)}`,
      address: session === undefined || isTcpAddress(session.address) ? link.address : session.address, isConnected: session !== undefined, isOverTcp: session !== undefined && isTcpAddress(session.address), roundTripMs: session?.smoothedRoundTripMs,
    };
  }
}
