/** One conversation: who, the messages, and either the composer or what has to be decided first. */
import { ChevronLeft, Info, MessageSquare } from 'lucide-react';
import { useEffect } from 'react';
import { echoSentence } from '../../../shared/sentences.ts';
import type { ConversationView } from '../../../shared/views.ts';
import { useShortcut } from '../../keys.ts';
import { navigation } from '../../navigation.ts';
import { useServices } from '../../services.tsx';
import { usePage, useView } from '../../store.ts';
import { Dot, Monogram } from '../../ui/bits.tsx';
import { Button, IconButton } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Composer } from '../messages/composer.tsx';
import { DropTarget, useFileDrop } from '../messages/drop-target.tsx';
import { MessageList } from '../messages/message-list.tsx';
import { openHops } from '../messages/message-row.tsx';
import { useWindowFocus } from '../../ui/use-window-focus.ts';
import '../messages/messages.css';

export function Conversation({ conversation }: { readonly conversation: ConversationView }) {
  const { sync, client, run } = useServices();
  const page = usePage(conversation.id);
  const focused = useWindowFocus();
  useEffect(() => {
    void run(() => sync.loadNewest(conversation.id));
  }, [conversation.id, run, sync]);

  // Read means: on screen while the person is at this window.
  const newestRow = page?.messages.at(-1)?.row;
  const unread = conversation.unread > 0 && focused && newestRow !== undefined;
  useEffect(() => {
    if (unread) void run(() => client.messages.markRead({ conversationId: conversation.id, upToRow: newestRow }));
  }, [unread, newestRow, conversation.id, client, run]);

  useShortcut('details', () => {
    const lastOwn = page?.messages.findLast((message) => message.direction === 'out');
    if (lastOwn === undefined) return false;
    openHops(lastOwn.id);
    return true;
  });

  const canWrite = conversation.standing !== 'request' && conversation.standing !== 'blocked';
  const drop = useFileDrop(conversation.id, canWrite);
  return (
    <section className="conversation" data-pane="conversation" aria-label={`Conversation with ${conversation.name}`} {...drop.handlers}>
      <Header conversation={conversation} />
      {page === undefined ? <div className="grow" aria-busy="true" />
        : page.messages.length === 0 ? <EmptyState level={3} icon={MessageSquare} title={`Nothing written to ${conversation.name} yet`} text="What you write is saved here at once and goes as soon as there is a way, even if they are away." />
          : <MessageList conversation={conversation} page={page} />}
      {conversation.standing === 'request' ? <RequestBar conversation={conversation} /> : conversation.standing === 'blocked' ? <BlockedBar conversation={conversation} /> : <Composer conversation={conversation} />}
      {drop.over ? <DropTarget name={conversation.name} /> : null}
    </section>
  );
}

function Header({ conversation }: { readonly conversation: ConversationView }) {
  const { client, run } = useServices();
  const echo = useView((view) => view.echo);
  const isEcho = echo.publicKey === conversation.publicKey && echo.state !== 'absent';
  const { tone, sentence } = echoSentence(echo);
  const showContact = (): void => navigation.openDrawer({ kind: 'contact' });
  return (
    <header className="conversation__header">
      <span className="back"><IconButton icon={ChevronLeft} label="Back to all conversations" onClick={() => navigation.openConversation(undefined)} /></span>
      {/* A button hides the roles of what is in it, so the heading stands beside it. */}
      <h2 className="visually-hidden">{conversation.name}</h2>
      <button type="button" className="conversation__who" title="Show contact details" onClick={showContact}>
        <Monogram name={conversation.name} />
        <span className="grow">
          <span className="conversation__title truncate">{conversation.name}{conversation.port === 1 ? '' : `, port ${String(conversation.port)}`}</span>
          <span className="muted truncate">
            {isEcho ? <span className="row"><Dot tone={tone} /><span className="truncate">{sentence}</span></span>
              : conversation.standing === 'pending' ? 'Added by you, not heard from yet' : conversation.fingerprint}
          </span>
        </span>
      </button>
      {isEcho ? (
        <Button size="small" disabled={echo.state === 'starting'} onClick={() => { void run(() => client.echo.setOnline({ online: echo.state !== 'online' })); }}>
          {echo.state === 'online' ? 'Take offline' : 'Bring back'}
        </Button>
      ) : null}
      <IconButton icon={Info} label="Contact details" onClick={showContact} />
    </header>
  );
}

function RequestBar({ conversation }: { readonly conversation: ConversationView }) {
  const { client, run } = useServices();
  return (
    <div className="standing" role="group" aria-label="Request" data-pane="composer">
      <p className="standing__text">{conversation.name} is not among your friends. If you accept, they learn when their messages arrive, and you can answer.</p>
      <div className="row standing__choices">
        <Button onClick={() => { void run(() => client.contacts.block({ publicKey: conversation.publicKey })).then(() => navigation.openConversation(undefined)); }}>Block</Button>
        <Button variant="primary" onClick={() => { void run(() => client.contacts.accept({ publicKey: conversation.publicKey })); }}>Accept</Button>
      </div>
    </div>
  );
}

function BlockedBar({ conversation }: { readonly conversation: ConversationView }) {
  const { client, run } = useServices();
  return (
    <div className="standing" role="group" aria-label="Blocked" data-pane="composer">
      <p className="standing__text">You have blocked {conversation.name}. What they write does not reach you.</p>
      <Button onClick={() => { void run(() => client.contacts.unblock({ publicKey: conversation.publicKey })); }}>Unblock</Button>
    </div>
  );
}
