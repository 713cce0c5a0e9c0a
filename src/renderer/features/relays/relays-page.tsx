/** The relays that hold mail for this identity: how each is doing, in which order they are preferred, testing, pinning, banning, adding and removing. */
import { Plus, RadioTower } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { countOf } from '../../../shared/quantities.ts';
import type { RelayView } from '../../../shared/relay-views.ts';
import { navigation } from '../../navigation.ts';
import { useServices } from '../../services.tsx';
import { useView } from '../../store.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/dialog.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Page } from '../frame/page.tsx';
import { inOrder, isBanned, isBeingLeft, isInUse, moveOf, type Direction } from './order.ts';
import { moveButtonId, RelayCard } from './relay-card.tsx';
import './relays.css';

type Asked = { readonly about: 'remove' | 'ban'; readonly relay: RelayView };

export function RelaysPage() {
  const { client, run } = useServices();
  const relays = inOrder(useView((view) => view.relays));
  const [asked, setAsked] = useState<Asked | undefined>(undefined);
  const [said, setSaid] = useState('');
  /** The button that has the focus, and goes to another place with its row. */
  const moving = useRef<string>(undefined);
  const keptCount = relays.filter((relay) => isInUse(relay) && relay.role !== 'friend').length;

  useEffect(() => {
    const button = moving.current === undefined ? null : document.getElementById(moving.current);
    if (button === null) return;
    moving.current = undefined;
    if (document.activeElement === null || document.activeElement === document.body) button.focus();
  }, [relays]);

  const onMove = (relay: RelayView, direction: Direction): void => {
    const { past, why } = moveOf(relays, relay, direction);
    if (past === undefined) { setSaid(`${why}.`); return; }
    moving.current = document.activeElement?.id === '' ? moveButtonId(relay.publicKey, direction) : document.activeElement?.id ?? moveButtonId(relay.publicKey, direction);
    void run(async () => {
      await client.relays.order({ publicKeys: direction === 'up' ? [relay.publicKey, past.publicKey] : [past.publicKey, relay.publicKey], others: 'stay' });
      setSaid(`${relay.name} is now ${direction === 'up' ? 'before' : 'after'} ${past.name}.`);
    });
  };
  const onChoose = (relay: RelayView, choice: 'pinned' | 'normal'): void => { void run(() => client.relays.choose({ publicKey: relay.publicKey, choice })); };
  // Its end is in the view, like each of its steps.
  const onTest = (relay: RelayView): void => { void run(() => client.relays.test({ publicKey: relay.publicKey })); };

  return (
    <Page title="Relays" lead="A relay keeps your sealed mail while you are away. It sees how much and when, never what. Two of them are enough to be safe when one fails. Your friends are told of the first three, in this order." actions={<Button variant="primary" icon={Plus} onClick={() => navigation.openDialog('add-relay')}>Add a relay</Button>}>
      <p className="visually-hidden" role="status">{said}</p>
      {keptCount > 0 ? null : <EmptyState icon={RadioTower} title="No relay yet" text="Without one, messages only travel while you and your friend are online at the same time. Ask a friend for the link of theirs, or run your own."><Button variant="primary" onClick={() => navigation.openDialog('add-relay')}>Add a relay</Button></EmptyState>}
      {relays.length === 0 ? null : (
        <ul className="relays" aria-label="Relays">
          {relays.map((relay) => (
            <RelayCard
              key={relay.publicKey} relay={relay} moves={{ up: moveOf(relays, relay, 'up'), down: moveOf(relays, relay, 'down') }}
              onRemove={(one) => setAsked({ about: 'remove', relay: one })} onBan={(one) => setAsked({ about: 'ban', relay: one })} onChoose={onChoose} onTest={onTest} onMove={onMove}
            />
          ))}
        </ul>
      )}
      {asked?.about === 'remove' ? (
        <ConfirmDialog
          title={isInUse(asked.relay) ? `Remove ${asked.relay.name}?` : `Forget ${asked.relay.name}${isBanned(asked.relay) ? '' : ' now'}?`} confirm={isInUse(asked.relay) ? 'Remove' : 'Forget'} text={removalText(asked.relay, keptCount)}
          onClose={() => setAsked(undefined)} onConfirm={() => { void run(() => client.relays.remove({ publicKey: asked.relay.publicKey })); }}
        />
      ) : null}
      {asked?.about === 'ban' ? (
        <ConfirmDialog
          title={`Ban ${asked.relay.name}?`} confirm="Ban" text={banText(keptCount)}
          onClose={() => setAsked(undefined)} onConfirm={() => { void run(() => client.relays.choose({ publicKey: asked.relay.publicKey, choice: 'banned' })); }}
        />
      ) : null}
    </Page>
  );
}

const lastText = 'This is your last relay. Without one nobody can leave a message for you while you are away, and yours only go while both of you are online.';

function removalText(relay: RelayView, keptCount: number): string {
  if (isBanned(relay)) return 'It is not in the list any more, and not banned: it is used again where friends have it.';
  if (isBeingLeft(relay)) return 'Messages that wait there, or that friends who have not heard of it yet still leave there, are not fetched any more.';
  if (relay.role === 'friend') return 'Messages that wait there are fetched first. It is not used any more, unless you switch friends’ computers off and on again in the settings.';
  if (keptCount === 1) return lastText;
  if (relay.role === 'own') return 'Your friends are told where to find you instead. Messages that wait there still, or are on their way there, are fetched first.';
  const waiting = relay.waitingLetters !== undefined && relay.waitingLetters > 0 ? `${countOf(relay.waitingLetters, 'message', 'messages')} you have not fetched may be lost with it. ` : '';
  return `${waiting}Your friends are told where to find you instead.`;
}

function banText(keptCount: number): string {
  const last = keptCount === 1 ? `${lastText} ` : '';
  return `${last}Nothing is sent there from then on, not even for friends who use it, and mail that waits there is not fetched. Your friends are told where to find you instead. It stays in this list, and you can use it again.`;
}
