/** The list: requests that wait for an answer, then everybody by latest activity. */
import { Link, MessageSquarePlus, Paperclip, UserPlus } from 'lucide-react';
import { headlineWords, messageSummary } from '../../../shared/sentences.ts';
import { countOf } from '../../../shared/quantities.ts';
import type { ConversationView } from '../../../shared/views.ts';
import { navigation, useNavigation } from '../../navigation.ts';
import { useView } from '../../store.ts';
import { Monogram } from '../../ui/bits.tsx';
import { Button, IconButton } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Stamp } from '../../ui/time.tsx';
import { useNow } from '../../ui/use-now.ts';
import { useOversizeDraft } from '../messages/oversize-drafts.ts';
import { StateIcon } from '../messages/state-icon.tsx';
import { contactsOf, requestsOf } from './order.ts';

export function ConversationList() {
  const conversations = useView((view) => view.conversations);
  const requests = requestsOf(conversations);
  const contacts = contactsOf(conversations);
  return (
    <section className="list" data-pane="list" aria-label="Conversations">
      <header className="list__header">
        <h1>Chats</h1>
        <IconButton icon={Link} label="Share your link" onClick={() => navigation.openDialog('share-link')} />
        <IconButton icon={UserPlus} label="Add a friend" title="Add a friend (Ctrl+N)" onClick={() => navigation.openDialog('add-friend')} />
      </header>
      <div className="list__scroll">
        {requests.length + contacts.length === 0 ? <NobodyYet /> : null}
        {requests.length === 0 ? null : (
          <>
            <h2 className="list__section" id="requests-heading">Requests</h2>
            <ul aria-labelledby="requests-heading">{requests.map((one) => <Entry key={one.id} conversation={one} />)}</ul>
            <h2 className="list__section" id="contacts-heading">Conversations</h2>
          </>
        )}
        <ul aria-label="Conversations">{contacts.map((one) => <Entry key={one.id} conversation={one} />)}</ul>
      </div>
    </section>
  );
}

/** More of a draft than this is never in sight here, and one may be very long. */
const draftGlimpse = 120;

function NobodyYet() {
  return (
    <EmptyState icon={MessageSquarePlus} title="No friends yet" text="Share your link or paste theirs. Echo answers while you wait.">
      <Button variant="primary" onClick={() => navigation.openDialog('share-link')}>Share your link</Button>
      <Button onClick={() => navigation.openDialog('add-friend')}>Add a friend</Button>
    </EmptyState>
  );
}

function Entry({ conversation }: { readonly conversation: ConversationView }) {
  const current = useNavigation((state) => state.conversationId === conversation.id);
  const nowMs = useNow(60_000);
  const { last, unread } = conversation;
  const draft = (useOversizeDraft(conversation.id) ?? conversation.draft).slice(0, draftGlimpse);
  return (
    <li>
      <button type="button" className={`entry${unread > 0 ? ' entry--unread' : ''}`} aria-current={current ? 'true' : undefined} data-pane-focus={current ? true : undefined} onClick={() => navigation.openConversation(conversation.id)}>
        <Monogram name={conversation.name} />
        <span className="grow">
          <span className="entry__line">
            <span className="entry__name truncate">{conversation.name}</span>
            {last === undefined ? null : <span className="entry__stamp"><Stamp atMs={last.sentAtMs} /></span>}
          </span>
          <span className="entry__line">
            <span className="entry__last">
              {draft !== '' && !current ? <><span className="entry__draft">Draft:</span><span className="truncate">{draft}</span></>
                : last === undefined ? <span className="truncate">{conversation.standing === 'pending' ? 'Not heard from yet' : 'Nothing written yet'}</span>
                  : <>{last.direction === 'out' ? <><StateIcon headline={last.headline} /><span className="visually-hidden">{headlineWords(last.headline, nowMs)}: </span></> : null}{last.file === undefined ? null : <Paperclip className="entry__clip" size={16} strokeWidth={1.75} role="img" aria-label="File:" />}<span className="truncate">{messageSummary(last)}</span></>}
            </span>
            {unread > 0 ? <span className="badge"><span aria-hidden>{unread > 99 ? '99+' : unread}</span><span className="visually-hidden">{countOf(unread, 'unread message', 'unread messages')}</span></span> : null}
          </span>
        </span>
      </button>
    </li>
  );
}
