/** One contact who is connected or looked for: how, how fast, why not better, and what can be done about it. */
import { ChevronDown, Radar } from 'lucide-react';
import { useId, useState } from 'react';
import { seekSentence, whyNotDirect } from '../../../shared/peer-sentences.ts';
import { countOf, roundTripWords, sizeWords } from '../../../shared/quantities.ts';
import type { PeerView } from '../../../shared/peer-views.ts';
import { navigation } from '../../navigation.ts';
import { useView } from '../../store.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { RoundTrips } from '../../ui/round-trips.tsx';
import { PastTime } from '../../ui/time.tsx';
import { useNow } from '../../ui/use-now.ts';
import { NoPathTag, PathTag } from './path-tag.tsx';
import { PeerDetails } from './peer-details.tsx';

export const peerCardId = (publicKey: string): string => `peer-${publicKey}`;

interface PeerCardProps {
  readonly peer: PeerView;
  /** Messages to them that are not delivered yet. */
  readonly waiting: number;
  readonly onReach: (peer: PeerView) => void;
}

export function PeerCard({ peer, waiting, onReach }: PeerCardProps) {
  const [isOpen, setOpen] = useState(false);
  const detailsId = useId();
  const { name, publicKey, kind, relayName, path, address } = peer;
  const conversationId = useView((view) => view.conversations.find((one) => one.publicKey === publicKey)?.id);
  const hasDetails = peer.paths.length > 0 || (peer.problems?.length ?? 0) > 0;
  const switchedAt = (peer.switches ?? []).flatMap(({ sample }) => (sample === undefined ? [] : [sample]));
  return (
    <li className="card peer" id={peerCardId(publicKey)} tabIndex={-1} aria-label={name}>
      <div className="peer__main">
        <div className="peer__name">
          <h3>{conversationId === undefined ? name : <button type="button" className="peer__link" title={`Open the conversation with ${name}`} onClick={() => navigation.openConversation(conversationId)}>{name}</button>}</h3>
          {path === 'none' ? <NoPathTag /> : <PathTag kind={kind ?? path} relayName={relayName} />}
        </div>
        {address === undefined ? null : <p className="peer__address">{address}</p>}
        {path !== 'none' || peer.lastHeardMs === undefined ? null : <p className="muted">Last heard <PastTime atMs={peer.lastHeardMs} /></p>}
        {waiting === 0 ? null : <p><button type="button" className="peer__link peer__link--quiet" onClick={() => navigation.go('outbox')}>{countOf(waiting, 'message', 'messages')} to them in the Outbox</button></p>}
      </div>
      {path === 'none' ? null : (
        <>
          <div className="peer__chart"><RoundTrips samples={peer.roundTripsMs ?? []} switchedAt={switchedAt} /></div>
          <dl className="peer__numbers">
            <div><dt>Round trip</dt><dd>{peer.roundTripMs === undefined ? <span className="muted">not measured</span> : roundTripWords(peer.roundTripMs)}</dd></div>
            <div><dt>Last heard</dt><dd>{peer.lastHeardMs === undefined ? 'never' : <PastTime atMs={peer.lastHeardMs} />}</dd></div>
            <div><dt>Sent</dt><dd>{sizeWords(peer.sentBytes)}</dd></div>
            <div><dt>Received</dt><dd>{sizeWords(peer.receivedBytes)}</dd></div>
          </dl>
        </>
      )}
      <div className="peer__actions">
        {hasDetails ? <span className={isOpen ? 'peer__fold peer__fold--open' : 'peer__fold'}><IconButton icon={ChevronDown} label={`Paths to ${name}`} title={isOpen ? 'Hide the paths' : 'Show the paths'} aria-expanded={isOpen} aria-controls={detailsId} onClick={() => setOpen(!isOpen)} /></span> : null}
      </div>
      <Why peer={peer} onReach={onReach} />
      {isOpen && hasDetails ? <PeerDetails peer={peer} id={detailsId} /> : null}
    </li>
  );
}

function Why({ peer, onReach }: Pick<PeerCardProps, 'peer' | 'onReach'>) {
  const { search, seek } = peer;
  const nowMs = useNow(1_000);
  const report = useView((view) => view.network?.report);
  if (search === undefined && seek === undefined) return null;
  return (
    <div className="peer__why">
      <p>{search === undefined ? null : whyNotDirect(search, report, nowMs).sentence}{seek === undefined ? null : seekSentence(seek, nowMs).sentence}</p>
      <Reach peer={peer} onReach={onReach} />
    </div>
  );
}

/** Only where it does something: who is reached directly is reached, and what the other side begins cannot be begun here. It stays while it works, so that the focus does. */
function Reach({ peer, onReach }: Pick<PeerCardProps, 'peer' | 'onReach'>) {
  const { search, seek, name } = peer;
  if (seek === undefined && (search?.begins !== 'own' || search.reason === 'hidden')) return null;
  const isBusy = seek?.isAsking === true || search?.reason === 'trying' || search?.reason === 'guessing';
  const words = seek === undefined ? (isBusy ? 'Trying' : 'Try direct now') : isBusy ? 'Asking' : 'Reach now';
  return <Button size="small" icon={Radar} aria-label={`${words}: ${name}`} aria-disabled={isBusy} onClick={() => { if (!isBusy) onReach(peer); }}>{words}</Button>;
}
