/**
 * Makes the cores of an engine and tells them of each other; what is done with them is in engine.ts. A part that needs another one asks for it when it needs it, for neither is there first.
 */
import { createDirected } from './directed/directed.ts';
import { datagramLimitFor } from './path-mtu/datagram-limit.ts';
import { BlobShelf } from './files/blob-shelf.ts';
import { CurrentDevice, ensureDevice } from './mail/own-device.ts';
import { VisorMemory } from './mail/visor-memory.ts';
import { CircuitRole } from './circuits/circuit-role.ts';
import { isCircuitAddress } from './circuits/tunnel.ts';
import { HostNames } from './overlay/host-names.ts';
import { familyOf } from './path/address-scope.ts';
import { pathTiers, tierOf } from './path/path-tier.ts';
import { createSessions } from './session/sessions.ts';
import { UdpMemory } from './overlay/udp-memory.ts';
import { isTcpAddress } from './wire/tcp-address.ts';
import { keepaliveMs, learnedPauseShare } from './session/constants.ts';
import { PathRole } from './path/path-role.ts';
import { identityPublicKey } from './wire/identity.ts';
import { capabilitiesOf } from './engine-capabilities.ts';
import { StoreRequests } from './store-requests.ts';
import { RelayRole } from './relay-role.ts';
import { visorMeans } from './visor-means.ts';
import { VisorRole } from './visor-role.ts';
import type { Directed } from './directed/types.ts';
import type { EngineChange, EngineOutput, StartArguments } from './engine-types.ts';
import type { VisorChange } from './mail/visor-store.ts';
import { connectedRelays, ownRelays } from './overlay/relays-to-ask.ts';
import { RelayPathMtus } from './overlay/relay-path-mtus.ts';
import type { SessionId, Sessions } from './session/types.ts';
import type { Instant, SocketAddress } from './wire/types.ts';
import type { VisorContext } from './visor-context.ts';

/** What an engine gives its parts. */
export interface EngineHooks {
  readonly output: (output: EngineOutput) => void;
  readonly changed: (...changes: readonly EngineChange[]) => void;
  /** Of the input that is being handled. */
  readonly now: () => Instant;
}

export interface EngineParts {
  readonly context: VisorContext;
  readonly sessions: Sessions;
  readonly directed: Directed;
  readonly stores: StoreRequests;
  readonly names: HostNames;
  readonly visor: VisorRole | undefined;
  readonly relay: RelayRole | undefined;
  readonly paths: PathRole;
  readonly circuits: CircuitRole;
  readonly pathMtus: RelayPathMtus;
  readonly counters: ReadonlyMap<string, number>;
}

export function engineParts(start: StartArguments, { output, changed, now: engineNow }: EngineHooks): EngineParts {
  const { configuration, now } = start;
  const { crypto, random, identitySecret } = configuration;
  const stores = new StoreRequests(output, (changes) => { changed(...changes); });
  const counters = new Map<string, number>();
  const pathMtus = new RelayPathMtus();
  // Undefined while it is made: what is asked of it then has to wait, or goes without.
  const made: { visor: VisorRole | undefined } = { visor: undefined };
  /** What a transfer found out about the path MTU. */
  const carries = (sessionId: SessionId, sizeBytes: number): void => {
    const link = made.visor?.links.bySession(sessionId);
    const address = sessions.view(sessionId)?.address;
    if (link === undefined || address === undefined) return;
    pathMtus.carries(link.hint.publicKey, address.host, sizeBytes);
    changed({ kind: 'network' });
  };
  /**
   * Of UDP: what a router remembers of connections is another matter. What a metered line costs counts there more than that letters come at once: no keepalives that are more frequent
   * than usual.
   */
  const learnedPauseMs = (address: SocketAddress): number | undefined => {
    if (isTcpAddress(address)) return undefined;
    const lifetimeMs = paths.mappingLifetimeMs(familyOf(address.host));
    return lifetimeMs !== undefined && made.visor?.isSparing === true && lifetimeMs * learnedPauseShare < keepaliveMs ? undefined : lifetimeMs;
  };
  const memory = new VisorMemory(start.state);
  const means = visorMeans({ memory, paths: () => paths, isSparing: () => made.visor?.isSparing ?? false, isInLan: configuration.relay === undefined, output });
  const own = ensureDevice(memory.device, crypto, random, identitySecret, now);
  const device = new CurrentDevice(memory, crypto, own.device);
  const udp = configuration.visor && configuration.carriesTcp === true ? new UdpMemory(() => { changed({ kind: 'connection' }); }, start.network) : undefined;
  const sessions: Sessions = createSessions({
    crypto, random, staticKeys: own.device.staticKeys, get certificate() { return device.value.certificate.bytes; }, bootId: random(8), resetSecret: own.resetSecret,
    capabilities: capabilitiesOf(start),
    listening: configuration.relay !== undefined, inCircuits: configuration.visor, mayUse: (address) => !isTcpAddress(address) && (!memory.settings.hideAddress || isCircuitAddress(address)),
    expects: (from, identity, at) => made.visor?.lan?.expects(from, identity, at) === true && (identity === undefined || memory.contacts.get(identity)?.standing === 'contact'),
    tierOf: (address) => pathTiers.indexOf(tierOf(address, means.candidates.hosts())), ...(udp === undefined ? {} : { detour: udp }),
    learnedPauseMs, pauseWasTooLong: (address, at) => { if (!isTcpAddress(address)) paths.mappingForgotten(familyOf(address.host), at); },
  });
  const directed: Directed = createDirected({
    send: (sessionId, frame, at) => sessions.send(sessionId, frame, at),
    frameRoom: (sizeBytes) => sessions.frameRoom(sizeBytes),
    smoothedRoundTripMs: (sessionId) => sessions.view(sessionId)?.smoothedRoundTripMs,
    carries,
    datagramLimitBytes: (sessionId) => datagramLimitFor(sessions.view(sessionId)?.address.host),
  }, crypto, random);
  const context: VisorContext = {
    crypto, random, identitySecret, publicKey: identityPublicKey(identitySecret), get device() { return device.value; }, memory, sessions, directed, udp,
    commit: (changes, options) => { stores.commit(memory, changes, options); },
    facts: (messageId, done) => { stores.visor({ op: 'facts', messageId }, done); },
    received: ({ root, length }, done) => { stores.visor({ op: 'received', root, length }, done); },
    announce: (...changes) => { changed(...changes); },
    log: (level, event, fields = {}) => { output({ kind: 'log', level, event, fields }); },
    count: (counter) => { counters.set(counter, (counters.get(counter) ?? 0) + 1); },
    // Two relays at least, so that one with a wrong clock cannot end letters early (architecture 12).
    // Whole milliseconds, because dates that it goes into are kept as integers. Asked for when it is needed: not for every packet of a file.
    correctedWallMs: (at) => at.wallMs + Math.round(made.visor?.clockOffsetMs(2, at) ?? 0),
  };
  const first: VisorChange[] = [...own.changes];
  if (!memory.values.has('name')) first.push({ kind: 'put-value', key: 'name', value: configuration.initialName });
  if (first.length > 0) context.commit(first);
  const shelf = new BlobShelf((request, done) => { stores.blobs('own-blobs', request, done); }, start.blobs.own);
  const resolve = (ticket: number, host: string): void => { output({ kind: 'resolve', ticket, host }); };
  const visor = configuration.visor ? new VisorRole(context, shelf, resolve, now, configuration.createPeerSessions, means) : undefined;
  made.visor = visor;
  const names = visor?.names ?? new HostNames(resolve);
  const relay = configuration.relay === undefined || start.mail === undefined ? undefined : new RelayRole(context, {
    policy: configuration.relay, opened: start.mail, names,
    shelf: new BlobShelf((request, done) => { stores.blobs('held-blobs', request, done); }, start.blobs.held),
    store: (request, done) => { stores.mail(request, done); },
  }, now);
  const paths = new PathRole({
    crypto, random, directed, relay: configuration.relay === undefined ? undefined : { secondPort: start.secondPort },
    createNetworkCheck: configuration.visor ? configuration.createNetworkCheck : undefined,
    addressOf: (sessionId) => sessions.view(sessionId)?.address,
    connectedRelays: () => connectedRelays(visor?.links),
    ownRelays: () => ownRelays(visor?.links, memory.relays),
    transmit: (via, to, datagram) => { output({ kind: 'transmit', to, datagram, via }); },
    bind: (socket) => { output({ kind: 'bind', socket }); },
    unbind: (socket) => { output({ kind: 'unbind', socket }); },
    ask: (request) => { output({ kind: 'network', request }); },
    reported: () => {
      changed({ kind: 'network' });
      visor?.peers.candidatesChanged(engineNow());
    },
    isSparing: () => visor?.isSparing ?? false,
    recall: (key) => memory.values.get(key),
    remember: (key, value) => { context.commit([{ kind: 'put-value', key, value }]); },
  }, now);
  const circuits = new CircuitRole(directed, visor?.peers, relay?.exchange, (counter) => { context.count(counter); });
  return { context, sessions, directed, stores, names, visor, relay, paths, circuits, pathMtus, counters };
}
