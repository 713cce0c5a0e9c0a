/** Contacts without a session: folded away, because that is how most people are most of the time. */
import { ChevronDown, Radar } from 'lucide-react';
import { useId, useState } from 'react';
import { countOf } from '../../../shared/quantities.ts';
import { shortKey } from '../../../shared/sentences.ts';
import { navigation } from '../../navigation.ts';
import { Button } from '../../ui/button.tsx';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import type { Unconnected } from './groups.ts';

interface UnconnectedContactsProps {
  readonly contacts: readonly Unconnected[];
  readonly waiting: ReadonlyMap<string, number>;
  readonly onReach: (contact: Unconnected) => void;
}

export function UnconnectedContacts({ contacts, waiting, onReach }: UnconnectedContactsProps) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  if (contacts.length === 0) return null;
  const columns: readonly Column<Unconnected>[] = [
    { id: 'name', title: 'Name', width: 200, grow: true, lead: true, sortBy: ({ name }) => name, cell: ({ name, publicKey, conversationId }) => <span className="peer__cell"><button type="button" className="peer__link truncate" title={`Open the conversation with ${name}`} onClick={() => navigation.openConversation(conversationId)}>{name}</button><span className="muted" title={publicKey}>{shortKey(publicKey)}</span></span> },
    { id: 'waiting', title: 'In the Outbox', width: 140, end: true, sortBy: ({ publicKey }) => waiting.get(publicKey) ?? 0, cell: ({ publicKey }) => { const count = waiting.get(publicKey) ?? 0; return count === 0 ? <span className="muted">nothing</span> : countOf(count, 'message', 'messages'); } },
    { id: 'reach', title: '', width: 136, end: true, cell: (contact) => <Button size="small" icon={Radar} aria-label={`Reach now: ${contact.name}`} onClick={() => onReach(contact)}>Reach now</Button> },
  ];
  return (
    <section className="peers__section">
      <h2><button type="button" className={isOpen ? 'peers__fold peers__fold--open' : 'peers__fold'} aria-expanded={isOpen} aria-controls={id} onClick={() => setOpen(!isOpen)}><ChevronDown size={16} strokeWidth={1.75} aria-hidden />{countOf(contacts.length, 'contact is', 'contacts are')} not connected</button></h2>
      <p className="muted">Waypost looks for them when there is something to send, or when you ask for it.</p>
      <div id={id} className="peers__table" hidden={!isOpen}>{isOpen ? <DataTable label="Not connected" columns={columns} rows={contacts} keyOf={({ publicKey }) => publicKey} /> : null}</div>
    </section>
  );
}
