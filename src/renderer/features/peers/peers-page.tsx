/** Who is reached how at this moment, who is looked for, and what is in between. */
import { Users } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { roundTripWords, sizeWords } from '../../../shared/quantities.ts';
import { overTcpConsequence } from '../../../shared/relay-sentences.ts';
import { shortKey } from '../../../shared/sentences.ts';
import type { PeerView } from '../../../shared/peer-views.ts';
import { navigation } from '../../navigation.ts';
import { useServices } from '../../services.tsx';
import { useView } from '../../store.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { PastTime } from '../../ui/time.tsx';
import { Page } from '../frame/page.tsx';
import { groupPeers, lettersOnTheirWay } from './groups.ts';
import { PeerCard, peerCardId } from './peer-card.tsx';
import { UnconnectedContacts } from './unconnected.tsx';
import { usePeers } from './use-peers.ts';
import './peers.css';

const relayColumns: readonly Column<PeerView>[] = [
  { id: 'name', title: 'Name', width: 180, grow: true, lead: true, sortBy: (peer) => peer.name, cell: (peer) => <span className="peer__cell"><span>{peer.name}</span><span className="muted" title={peer.publicKey}>{shortKey(peer.publicKey)}</span></span> },
  { id: 'address', title: 'Address', width: 190, grow: true, lead: true, sortBy: (peer) => peer.address ?? '', cell: (peer) => <span className="peer__cell"><span title={peer.address}>{peer.address ?? ''}</span>{peer.isOverTcp === true ? <span className="muted" title={overTcpConsequence}>over TCP</span> : null}</span> },
  { id: 'roundTrip', title: 'Round trip', width: 116, end: true, sortBy: (peer) => peer.roundTripMs ?? Number.MAX_SAFE_INTEGER, cell: (peer) => (peer.roundTripMs === undefined ? <span className="muted time">not measured</span> : roundTripWords(peer.roundTripMs)) },
  { id: 'heard', title: 'Last heard', width: 120, sortBy: (peer) => peer.lastHeardMs ?? 0, cell: (peer) => (peer.lastHeardMs === undefined ? <span className="muted">never</span> : <PastTime atMs={peer.lastHeardMs} />) },
  { id: 'sent', title: 'Sent', width: 84, end: true, sortBy: (peer) => peer.sentBytes, cell: (peer) => sizeWords(peer.sentBytes) },
  { id: 'received', title: 'Received', width: 92, end: true, sortBy: (peer) => peer.receivedBytes, cell: (peer) => sizeWords(peer.receivedBytes) },
];

export function PeersPage() {
  const { client, run } = useServices();
  const { peers, problem, refresh } = usePeers();
  const conversations = useView((view) => view.conversations);
  const outbox = useView((view) => view.outbox);
  /** Whose row has gone to another place with the focus on it. */
  const moving = useRef<string>(undefined);
  const { connected, sought, relays, others } = groupPeers(peers ?? [], conversations);
  const waiting = lettersOnTheirWay(outbox);

  useEffect(() => {
    const card = moving.current === undefined ? null : document.getElementById(peerCardId(moving.current));
    if (card === null) return;
    moving.current = undefined;
    if (document.activeElement === null || document.activeElement === document.body) card.focus();
  }, [peers]);

  const reach = ({ publicKey, name }: Pick<PeerView, 'publicKey' | 'name'>, isConnected: boolean): void => {
    void run(async () => {
      await client.peers.reach({ publicKey });
      navigation.toast('good', isConnected ? `Looking for a direct path to ${name}.` : `Asking for ${name}.`);
      moving.current = isConnected ? undefined : publicKey;
      refresh();
    });
  };
  const cards = (label: string, list: readonly PeerView[]) => (
    <ul className="peers" aria-label={label}>{list.map((peer) => <PeerCard key={peer.publicKey} peer={peer} waiting={waiting.get(peer.publicKey) ?? 0} onReach={(one) => reach(one, one.path !== 'none')} />)}</ul>
  );
  const isEmpty = peers !== undefined && connected.length + sought.length === 0;
  return (
    <Page title="Peers" lead="How your messages travel to each person at this moment. While both of you are here they need no relay to keep them.">
      {problem === undefined ? null : <p className="field__error" role="alert">{problem}</p>}
      {isEmpty ? <EmptyState icon={Users} title="Nobody is in contact with this computer" text="When you exchange messages with somebody who is here too, the path they take appears here with its round trip time." /> : null}
      {connected.length === 0 ? null : <section className="peers__section"><h2>Connected</h2>{cards('Connected', connected)}</section>}
      {sought.length === 0 ? null : <section className="peers__section"><h2>Looking for</h2>{cards('Looking for', sought)}</section>}
      {peers === undefined ? null : <UnconnectedContacts contacts={others} waiting={waiting} onReach={(contact) => reach(contact, false)} />}
      {relays.length === 0 ? null : (
        <section className="peers__section">
          <h2>Relays in use</h2>
          <p className="muted">Yours and those of your friends. How yours are doing is on <button type="button" className="peer__link" onClick={() => navigation.go('relays')}>their own page</button>.</p>
          <div className="peers__table"><DataTable label="Relays in use" columns={relayColumns} rows={relays} keyOf={(peer) => peer.publicKey} /></div>
        </section>
      )}
    </Page>
  );
}
