/** The rail: six places with their counters, and the connection line. */
import { Inbox, MessagesSquare, Network, RadioTower, Settings, TriangleAlert, Users, Waypoints, type LucideIcon } from 'lucide-react';
import { countOf } from '../../../shared/quantities.ts';
import { navigation, useNavigation, type Place } from '../../navigation.ts';
import { useView } from '../../store.ts';
import { ConnectionLine } from '../connection/connection-line.tsx';

interface PlaceEntry {
  readonly place: Place;
  readonly label: string;
  readonly icon: LucideIcon;
}

export const placeEntries: readonly PlaceEntry[] = [
  { place: 'chats', label: 'Chats', icon: MessagesSquare },
  { place: 'peers', label: 'Peers', icon: Users },
  { place: 'relays', label: 'Relays', icon: RadioTower },
  { place: 'outbox', label: 'Outbox', icon: Inbox },
  { place: 'network', label: 'Network', icon: Network },
  { place: 'settings', label: 'Settings', icon: Settings },
];

function Counter({ place }: { readonly place: Place }) {
  const unread = useView((view) => view.conversations.reduce((sum, conversation) => sum + (conversation.standing === 'blocked' ? 0 : conversation.unread), 0));
  const waiting = useView((view) => view.outbox.length);
  const notices = useView((view) => view.notices.length);
  if (place === 'chats' && unread > 0) return <span className="badge rail__badge"><span aria-hidden>{unread > 99 ? '99+' : unread}</span><span className="visually-hidden">, {unread} unread</span></span>;
  if (place === 'outbox' && waiting > 0) return <span className="badge badge--quiet rail__badge"><span aria-hidden>{waiting > 99 ? '99+' : waiting}</span><span className="visually-hidden">, {waiting} waiting</span></span>;
  if (place === 'network' && notices > 0) return <span className="badge badge--warning rail__badge"><TriangleAlert size={16} strokeWidth={1.75} aria-hidden /><span className="visually-hidden">, {countOf(notices, 'notice', 'notices')}</span></span>;
  return null;
}

export function Rail() {
  const current = useNavigation((state) => state.place);
  return (
    <nav className="rail" aria-label="Places" data-pane="rail">
      <div className="rail__brand"><Waypoints size={20} strokeWidth={1.75} aria-hidden /><span>Waypost</span></div>
      <div className="rail__places">
        {placeEntries.map(({ place, label, icon: Icon }) => (
          <button key={place} type="button" className="rail__place" aria-current={current === place ? 'page' : undefined} title={label} onClick={() => navigation.go(place)}>
            <Icon size={20} strokeWidth={1.75} aria-hidden />
            <span className="rail__label">{label}</span>
            <Counter place={place} />
          </button>
        ))}
      </div>
      <ConnectionLine />
    </nav>
  );
}
