/** The relays that hold mail for this identity: how each is doing, adding and removing. */
import { Plus, RadioTower, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { countOf, roundTripWords } from '../../../shared/quantities.ts';
import { relaySentence } from '../../../shared/sentences.ts';
import type { RelayView } from '../../../shared/views.ts';
import { navigation } from '../../navigation.ts';
import { useServices } from '../../services.tsx';
import { useView } from '../../store.ts';
import { Dot } from '../../ui/bits.tsx';
import { Button, IconButton } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/dialog.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { RoundTrips } from '../../ui/round-trips.tsx';
import { useNow } from '../../ui/use-now.ts';
import { Page } from '../frame/page.tsx';
import './relays.css';

export function RelaysPage() {
  const { client, run } = useServices();
  const relays = useView((view) => view.relays);
  const [leaving, setLeaving] = useState<RelayView | undefined>(undefined);
  return (
    <Page title="Relays" lead="A relay keeps your sealed mail while you are away. It sees how much and when, never what. Two of them are enough to be safe when one fails." actions={<Button variant="primary" icon={Plus} onClick={() => navigation.openDialog('add-relay')}>Add a relay</Button>}>
      {relays.length === 0
        ? <EmptyState icon={RadioTower} title="No relay yet" text="Without one, messages only travel while you and your friend are online at the same time. Ask a friend for the link of theirs, or run your own."><Button variant="primary" onClick={() => navigation.openDialog('add-relay')}>Add a relay</Button></EmptyState>
        : <ul className="relays" aria-label="Relays">{relays.map((relay) => <Relay key={relay.publicKey} relay={relay} onRemove={() => setLeaving(relay)} />)}</ul>}
      {leaving === undefined ? null : (
        <ConfirmDialog
          title={`Remove ${leaving.name}?`} confirm="Remove" onClose={() => setLeaving(undefined)} onConfirm={() => { void run(() => client.relays.remove({ publicKey: leaving.publicKey })); }}
          text={relays.length === 1 ? 'This is your last relay. Without one nobody can leave a message for you while you are away, and yours only go while both of you are online.' : `${leaving.waitingLetters !== undefined && leaving.waitingLetters > 0 ? `${countOf(leaving.waitingLetters, 'message', 'messages')} you have not fetched may be lost with it. ` : ''}Your friends are told where to find you instead.`}
        />
      )}
    </Page>
  );
}

function Relay({ relay, onRemove }: { readonly relay: RelayView; readonly onRemove: () => void }) {
  const { tone, sentence } = relaySentence(relay, useNow());
  const number = (value: number | undefined): string => (value === undefined ? 'not measured' : roundTripWords(value));
  return (
    <li className="card relay">
      <div className="relay__main">
        <div className="relay__name"><h2>{relay.name}</h2><span className="tag">{relay.role === 'local' ? 'inside this app' : 'yours'}</span></div>
        <p className="relay__state"><Dot tone={tone} /><span>{sentence}</span></p>
        {relay.address === relay.name ? null : <p className="relay__address">{relay.address}</p>}
      </div>
      <div className="relay__chart"><RoundTrips samples={relay.roundTripsMs} /></div>
      <dl className="relay__numbers">
        <div><dt title="Half of all round trips are faster">Typical</dt><dd>{number(relay.p50Ms)}</dd></div>
        <div><dt title="19 of 20 round trips are faster">Slow</dt><dd>{number(relay.p95Ms)}</dd></div>
        <div><dt title="Messages this relay holds for you">Waiting</dt><dd>{relay.waitingLetters === undefined ? 'not asked' : relay.waitingLetters.toLocaleString('en-GB')}</dd></div>
      </dl>
      <div className="relay__remove"><IconButton icon={Trash2} label={`Remove ${relay.name}`} onClick={onRemove} /></div>
    </li>
  );
}
