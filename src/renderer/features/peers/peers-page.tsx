/** Who is reached how, right now: refreshed every five seconds while the page is open. */
import { Cable, RadioTower, Unplug, Users, type LucideIcon } from 'lucide-react';
import { useEffect, useState } from 'react';
import { roundTripWords, sizeWords } from '../../../shared/quantities.ts';
import { shortKey } from '../../../shared/sentences.ts';
import type { PeerView } from '../../../shared/views.ts';
import { errorSentence, useServices } from '../../services.tsx';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import { Page } from '../frame/page.tsx';
import './peers.css';

const refreshMs = 5_000;

interface PathWords {
  readonly icon: LucideIcon;
  readonly words: string;
  readonly consequence: string;
}
const paths: Readonly<Record<PeerView['path'], PathWords>> = {
  direct: { icon: Cable, words: 'Direct', consequence: 'Straight from computer to computer: fastest, and no relay sees anything.' },
  relay: { icon: RadioTower, words: 'Through a relay', consequence: 'Sealed messages pass through a relay: it sees when and how much, and may limit how fast.' },
  none: { icon: Unplug, words: 'Not connected', consequence: 'No path at the moment. Messages wait at their relays and arrive when they are back.' },
};

function Path({ peer }: { readonly peer: PeerView }) {
  const { icon: Icon, words, consequence } = paths[peer.path];
  return (
    <span className={`peer__path peer__path--${peer.path}`} title={consequence}>
      <Icon size={16} strokeWidth={1.75} aria-hidden />
      <span className="outbox__what"><span>{words}</span>{peer.address === undefined ? null : <span className="muted">{peer.address}</span>}</span>
    </span>
  );
}

const columns: readonly Column<PeerView>[] = [
  { id: 'name', title: 'Name', width: 180, grow: true, lead: true, sortBy: (peer) => peer.name, cell: (peer) => <span className="outbox__what"><span>{peer.name}</span><span className="muted" title={peer.publicKey}>{shortKey(peer.publicKey)}</span></span> },
  { id: 'path', title: 'Path', width: 190, grow: true, lead: true, sortBy: (peer) => peer.path, cell: (peer) => <Path peer={peer} /> },
  { id: 'roundTrip', title: 'Round trip', width: 116, end: true, sortBy: (peer) => peer.roundTripMs ?? Number.MAX_SAFE_INTEGER, cell: (peer) => (peer.roundTripMs === undefined ? <span className="muted time">not measured</span> : roundTripWords(peer.roundTripMs)) },
  { id: 'heard', title: 'Last heard', width: 120, sortBy: (peer) => peer.lastHeardMs ?? 0, cell: (peer) => (peer.lastHeardMs === undefined ? <span className="muted">never</span> : <RelativeTime atMs={peer.lastHeardMs} />) },
  { id: 'sent', title: 'Sent', width: 84, end: true, sortBy: (peer) => peer.sentBytes, cell: (peer) => sizeWords(peer.sentBytes) },
  { id: 'received', title: 'Received', width: 92, end: true, sortBy: (peer) => peer.receivedBytes, cell: (peer) => sizeWords(peer.receivedBytes) },
];

export function PeersPage() {
  const { client } = useServices();
  const [peers, setPeers] = useState<readonly PeerView[] | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  useEffect(() => {
    let gone = false;
    const refresh = (): void => {
      if (document.visibilityState === 'hidden') return;
      client.peers.list().then((result) => { if (!gone) { setPeers(result.peers); setProblem(undefined); } }, (thrown: unknown) => { if (!gone) setProblem(errorSentence(thrown)); });
    };
    refresh();
    const timer = setInterval(refresh, refreshMs);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [client]);
  return (
    <Page title="Peers" lead="How your messages travel to each person at this moment.">
      {problem === undefined ? null : <p className="field__error" role="alert">{problem}</p>}
      {peers === undefined ? null : peers.length === 0
        ? <EmptyState icon={Users} title="Nobody is in contact with this computer" text="When you exchange messages with somebody, the path they take appears here with its round trip time." />
        : <DataTable label="Peers" columns={columns} rows={peers} keyOf={(peer) => peer.publicKey} />}
    </Page>
  );
}
