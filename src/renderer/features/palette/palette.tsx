/** Ctrl+K: conversations and actions by name, all from the keyboard. */
import { MessageSquare, Zap } from 'lucide-react';
import { useId, useState, type KeyboardEvent } from 'react';
import { act } from '../../keys.ts';
import { navigation, useNavigation } from '../../navigation.ts';
import { useServices } from '../../services.tsx';
import { useView } from '../../store.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { sortedConversations } from '../conversations/order.ts';
import { placeEntries } from '../frame/rail.tsx';
import { filterByTitle } from './filter.ts';
import './palette.css';

interface Item {
  readonly id: string;
  readonly title: string;
  readonly kind: 'conversation' | 'action';
  readonly choose: () => void;
}

export function Palette() {
  const { client, run } = useServices();
  const conversations = useView((view) => view.conversations);
  const echo = useView((view) => view.echo.state);
  const canAttach = useNavigation((state) => state.place === 'chats' && state.conversationId !== undefined);
  const [query, setQuery] = useState('');
  const [index, setIndex] = useState(0);
  const id = useId();
  const action = (title: string, choose: () => void): Item => ({ id: title, title, kind: 'action', choose });
  const items: readonly Item[] = [
    ...sortedConversations(conversations).map((one): Item => ({ id: one.id, title: one.name, kind: 'conversation', choose: () => navigation.openConversation(one.id) })),
    ...(canAttach ? [action('Attach files', () => { act('attach'); })] : []),
    action('Add a friend', () => navigation.openDialog('add-friend')),
    action('Share your link', () => navigation.openDialog('share-link')),
    action('Add a relay', () => navigation.openDialog('add-relay')),
    ...placeEntries.map(({ place, label }) => action(`Open ${label}`, () => navigation.go(place))),
    action('Retry all that waits', () => { void run(() => client.messages.retryAll()); }),
    action('Try the network again', () => { void run(() => client.network.retryNow()); }),
    ...(echo === 'online' ? [action('Take Echo offline', () => { void run(() => client.echo.setOnline({ online: false })); })] : []),
    ...(echo === 'offline' ? [action('Bring Echo back', () => { void run(() => client.echo.setOnline({ online: true })); })] : []),
    action('Show your 24 words', () => navigation.openDialog('words')),
    action('Keyboard shortcuts', () => navigation.openDialog('shortcuts')),
  ];
  const found = filterByTitle(items, query);
  const selected = Math.min(index, found.length - 1);
  const choose = (item: Item | undefined): void => {
    if (item === undefined) return;
    navigation.closeDialog();
    item.choose();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step !== undefined && found.length > 0) {
      event.preventDefault();
      const next = (selected + step + found.length) % found.length;
      setIndex(next);
      document.getElementById(`${id}-${String(next)}`)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
      event.preventDefault();
      choose(found[selected]);
    }
  };
  return (
    <Dialog title="Find anything" onClose={navigation.closeDialog}>
      <input
        className="input palette__input" role="combobox" aria-label="Find a conversation or an action" aria-expanded aria-controls={`${id}-list`} aria-activedescendant={found.length === 0 ? undefined : `${id}-${String(selected)}`} aria-autocomplete="list"
        autoFocus placeholder="Name or action" value={query} onChange={(event) => { setQuery(event.target.value); setIndex(0); }} onKeyDown={onKeyDown}
      />
      <div className="palette__list" role="listbox" id={`${id}-list`} aria-label="Found">
        {found.map((item, position) => (
          <div key={item.id} id={`${id}-${String(position)}`} role="option" aria-selected={position === selected} className="palette__option" onClick={() => choose(item)} onMouseMove={() => setIndex(position)}>
            {item.kind === 'conversation' ? <MessageSquare size={16} strokeWidth={1.75} aria-hidden /> : <Zap size={16} strokeWidth={1.75} aria-hidden />}
            <span className="grow truncate">{item.title}</span>
            <span className="muted">{item.kind === 'conversation' ? 'Conversation' : 'Action'}</span>
          </div>
        ))}
      </div>
      <p className={found.length === 0 ? 'muted' : 'visually-hidden'} role="status">{found.length === 0 ? 'Nothing has this name.' : ''}</p>
    </Dialog>
  );
}
