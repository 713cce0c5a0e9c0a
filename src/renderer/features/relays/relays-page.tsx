/** The relays that hold mail for this identity: how each is doing, adding and removing. */
import { Plus, RadioTower, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { countOf, roundTripWords } from '../../../shared/quantities.ts';
import { relayProblemSentence, relayTestsSentence, type RelayTestsView } from '../../../shared/relay-tests.ts';
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
  const [removing, setRemoving] = useState<RelayView | undefined>(undefined);
  const keptCount = relays.filter((relay) => relay.leavingUntilMs === undefined).length;
  return (
    <Page title="Relays" lead="A relay keeps your sealed mail while you are away. It sees how much and when, never what. Two of them are enough to be safe when one fails." actions={<Button variant="primary" icon={Plus} onClick={() => navigation.openDialog('add-relay')}>Add a relay</Button>}>
      {relays.length === 0
        ? <EmptyState icon={RadioTower} title="No relay yet" text="Without one, messages only travel while you and your friend are online at the same time. Ask a friend for the link of theirs, or run your own."><Button variant="primary" onClick={() => navigation.openDialog('add-relay')}>Add a relay</Button></EmptyState>
        : <ul className="relays" aria-label="Relays">{relays.map((relay) => <Relay key={relay.publicKey} relay={relay} onRemove={() => setRemoving(relay)} />)}</ul>}
      {removing === undefined ? null : (
        <ConfirmDialog
          title={isBeingLeft(removing) ? `Forget ${removing.name} now?` : `Remove ${removing.name}?`} confirm={isBeingLeft(removing) ? 'Forget' : 'Remove'} text={removalText(removing, keptCount)}
          onClose={() => setRemoving(undefined)} onConfirm={() => { void run(() => client.relays.remove({ publicKey: removing.publicKey })); }}
        />
      )}
    </Page>
  );
}

const isBeingLeft = (relay: RelayView): boolean => relay.leavingUntilMs !== undefined;

function removalText(relay: RelayView, keptCount: number): string {
  if (isBeingLeft(relay)) return 'Messages that wait there, or that friends who have not heard of it yet still leave there, are not fetched any more.';
  if (keptCount === 1) return 'This is your last relay. Without one nobody can leave a message for you while you are away, and yours only go while both of you are online.';
  if (relay.role === 'own') return 'Your friends are told where to find you instead. Messages that wait there still, or are on their way there, are fetched first.';
  const waiting = relay.waitingLetters !== undefined && relay.waitingLetters > 0 ? `${countOf(relay.waitingLetters, 'message', 'messages')} you have not fetched may be lost with it. ` : '';
  return `${waiting}Your friends are told where to find you instead.`;
}

/** What letters that Waypost sends to itself say about the relay. */
function RelayTests({ tests }: { readonly tests: RelayTestsView }) {
  const problem = relayProblemSentence(tests, useNow());
  return (
    <>
      <p className="relay__tests" title="Waypost now and then leaves a small sealed letter for itself at the relay and sees whether it comes back.">{relayTestsSentence(tests)}</p>
      {problem === undefined ? null : <p className="relay__problem"><Dot tone={tests.standing === 'demoted' ? 'danger' : tests.standing === 'trial' ? 'warning' : 'muted'} /><span>{problem}</span></p>}
    </>
  );
}

function Relay({ relay, onRemove }: { readonly relay: RelayView; readonly onRemove: () => void }) {
  const { tone, sentence } = relaySentence(relay, useNow());
  const number = (value: number | undefined): string => (value === undefined ? 'not measured' : roundTripWords(value));
  return (
    <li className="card relay">
      <div className="relay__main">
        <div className="relay__name"><h2>{relay.name}</h2><span className="tag">{isBeingLeft(relay) ? 'removed' : relay.role === 'local' ? 'inside this app' : 'yours'}</span></div>
        <p className="relay__state"><Dot tone={tone} /><span>{sentence}</span></p>
        {relay.tests === undefined ? null : <RelayTests tests={relay.tests} />}
        {relay.address === relay.name ? null : <p className="relay__address">{relay.address}</p>}
      </div>
      <div className="relay__chart"><RoundTrips samples={relay.roundTripsMs} /></div>
      <dl className="relay__numbers">
        <div><dt title="Half of all round trips are faster">Typical</dt><dd>{number(relay.p50Ms)}</dd></div>
        <div><dt title="19 of 20 round trips are faster">Slow</dt><dd>{number(relay.p95Ms)}</dd></div>
        <div><dt title="Messages this relay holds for you">Waiting</dt><dd>{relay.waitingLetters === undefined ? 'not asked' : relay.waitingLetters.toLocaleString('en-GB')}</dd></div>
      </dl>
      <div className="relay__remove"><IconButton icon={Trash2} label={isBeingLeft(relay) ? `Forget ${relay.name} now` : `Remove ${relay.name}`} onClick={onRemove} /></div>
    </li>
  );
}
