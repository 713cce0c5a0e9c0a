/** The situations the double can start in, chosen by `?scenario=`. */
import type { AccountView } from '../../shared/contract.ts';
import type { NetworkReport } from '../../shared/network-report.ts';
import { relayDemotedNotice, type RelayTestsView } from '../../shared/relay-tests.ts';
import type { MessageView, View } from '../../shared/views.ts';
import type { PeerView } from '../../shared/peer-views.ts';
import { fileFriend, sampleFileTalk } from './file-samples.ts';
import { everyPeer, manyPeers, peerRelays, samplePeers, soughtPeers } from './peer-samples.ts';
import { hardNetwork, homeNetwork, sampleNetwork } from './network-samples.ts';
import { everyRelay } from './relay-samples.ts';
import { sampleConversation, sampleConversationId, sampleKey, sampleMessage, sampleOutbox, sampleRelays, sampleTalks, sampleView } from './samples.ts';

export const scenarioNames = ['full', 'files', 'empty', 'long', 'offline', 'welcome', 'welcome-no-keystore', 'locked', 'troubled', 'unreliable', 'relays', 'network', 'peers', 'nobody', 'many-peers'] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export interface Scenario {
  /** What the next check of the network finds out. */
  readonly network: NetworkReport;
  readonly account: AccountView;
  readonly view: View;
  readonly talks: Map<string, MessageView[]>;
  readonly peers: readonly PeerView[];
}

type Situation = Omit<Scenario, 'network' | 'peers'>;

const ready: AccountView = { phase: 'ready', protection: 'os', platform: 'linux' };
const longCount = 2_000;

function full(): Situation {
  const nowMs = Date.now();
  const talks = sampleTalks(nowMs);
  const messages = (name: string): readonly MessageView[] => talks.get(sampleConversationId(name)) ?? [];
  const view = sampleView({
    relays: sampleRelays(nowMs),
    outbox: sampleOutbox(nowMs),
    echo: { state: 'online', publicKey: sampleKey('Echo') },
    conversations: [
      sampleConversation('Anna Lindqvist', messages('Anna Lindqvist')),
      sampleConversation('Tomás Ferreira', messages('Tomás Ferreira')),
      sampleConversation('Echo', messages('Echo')),
      sampleConversation('Workshop', messages('Workshop'), { unread: 2, draft: 'Thursday works for me, I' }),
      sampleConversation('Priya', messages('Priya'), { standing: 'pending' }),
      sampleConversation('Unknown visitor', messages('Unknown visitor'), { standing: 'request', unread: 1 }),
      sampleConversation('Spam', [], { standing: 'blocked' }),
    ],
    connection: { kind: 'online', relaysConnected: 2, relaysConfigured: 3, waitingMessages: 3 },
  });
  return { account: ready, view, talks };
}

function long(): Situation {
  const nowMs = Date.now();
  const conversationId = sampleConversationId('Anna Lindqvist');
  const messages = Array.from({ length: longCount }, (_, index) =>
    sampleMessage({ conversationId, direction: index % 3 === 0 ? 'in' : 'out', sentAtMs: nowMs - (longCount - index) * 1_800_000, text: `Message number ${String(index + 1)}${index % 7 === 0 ? ', a rather long one that goes on for a while so that it takes more than a single line in the window and heights differ' : ''}` }));
  return { account: ready, view: sampleView({ conversations: [sampleConversation('Anna Lindqvist', messages)], relays: sampleRelays(nowMs) }), talks: new Map([[conversationId, messages]]) };
}

/** The full one, with a file in every state in the first conversation. */
function files(): Situation {
  const base = full();
  const conversationId = sampleConversationId(fileFriend);
  const messages = sampleFileTalk(Date.now());
  return { ...base, view: { ...base.view, conversations: base.view.conversations.map((one) => (one.id === conversationId ? sampleConversation(fileFriend, messages) : one)) }, talks: new Map([...base.talks, [conversationId, messages]]) };
}

function troubled(): Situation {
  const base = full();
  const { identity } = base.view;
  return {
    ...base,
    view: {
      ...base.view,
      identity: { ...identity, wordsConfirmed: false },
      connection: { kind: 'degraded', relaysConnected: 1, relaysConfigured: 3, waitingMessages: 3, clockOffsetMs: -4 * 60_000 },
      relays: base.view.relays.map((relay, index) => (index === 1 ? { ...relay, state: 'refused', problem: 'this relay asks for an invitation' } : relay)),
      notices: ['Your last prekeys are 9 days old because no relay could be reached; forward secrecy is reduced until it can.', 'The native crypto library could not be loaded; the slower one is in use.'],
      echo: { state: 'offline', publicKey: sampleKey('Echo') },
    },
  };
}

/** The full one, with relays that did not keep their word. */
function unreliable(): Situation {
  const base = full();
  const atMs = Date.now() - 26 * 60_000;
  const tests: readonly RelayTestsView[] = [
    { sentCount: 12, arrivedCount: 9, p50Ms: 82, p95Ms: 140, standing: 'demoted', lastProblem: { step: 'lost', atMs } },
    { sentCount: 30, arrivedCount: 29, p50Ms: 240, p95Ms: 75_000, standing: 'trial', lastProblem: { step: 'withheld', atMs: atMs - 3_600_000 } },
    { sentCount: 4, arrivedCount: 0, standing: 'demoted', lastProblem: { step: 'silent', atMs } },
  ];
  const relays = base.view.relays.map((relay, index) => { const one = tests[index]; return one === undefined ? relay : { ...relay, tests: one }; });
  const notices = relays.flatMap(({ name, tests: one }) => (one?.standing === 'demoted' && one.lastProblem !== undefined ? [relayDemotedNotice(name, one.lastProblem.step, false)] : []));
  return { ...base, view: { ...base.view, relays, notices } };
}

export function startScenario(name: string): Scenario {
  const situation = startSituation(name);
  const nowMs = Date.now();
  switch (name) {
    case 'empty': return { ...situation, network: homeNetwork, peers: [] };
    case 'offline': return { ...situation, network: homeNetwork, peers: soughtPeers(nowMs) };
    case 'nobody': return { ...situation, network: homeNetwork, peers: peerRelays(nowMs) };
    case 'many-peers': return { ...situation, network: homeNetwork, peers: manyPeers(nowMs) };
    case 'peers': return { ...situation, view: { ...situation.view, network: sampleNetwork(hardNetwork, nowMs) }, network: hardNetwork, peers: everyPeer(nowMs) };
    case 'network': break;
    default: return { ...situation, network: homeNetwork, peers: samplePeers(nowMs) };
  }
  return { ...situation, peers: samplePeers(nowMs), view: { ...situation.view, network: sampleNetwork(homeNetwork, Date.now()) }, network: hardNetwork };
}

function startSituation(name: string): Situation {
  const none: AccountView = { phase: 'none', protection: 'os', platform: 'linux' };
  const nothing = { view: sampleView({ identity: { ...sampleView().identity, wordsConfirmed: false } }), talks: new Map<string, MessageView[]>() };
  switch (name) {
    case 'empty': return { account: ready, ...nothing, view: sampleView({ connection: { kind: 'no-relay', relaysConnected: 0, relaysConfigured: 0, waitingMessages: 0 } }) };
    case 'long': return long();
    case 'files': return files();
    case 'offline': {
      const base = full();
      return { ...base, view: { ...base.view, connection: { kind: 'offline', relaysConnected: 0, relaysConfigured: 3, waitingMessages: 4 }, relays: base.view.relays.map((relay) => ({ ...relay, state: 'unreachable', problem: 'no network' })) } };
    }
    case 'welcome': return { account: none, ...nothing };
    case 'welcome-no-keystore': return { account: { ...none, protection: 'unavailable' }, ...nothing };
    case 'locked': return { ...full(), account: { ...ready, phase: 'locked', protection: 'passphrase' } };
    case 'troubled': return troubled();
    case 'unreliable': return unreliable();
    case 'relays': { const base = full(); return { ...base, view: { ...base.view, relays: everyRelay(Date.now()) } }; }
    default: return full();
  }
}
