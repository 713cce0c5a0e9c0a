/** Chats: list, conversation, drawer. */
import { MessagesSquare } from 'lucide-react';
import { useDeferredValue, useEffect } from 'react';
import type { ConversationView } from '../../../shared/views.ts';
import { navigation, useNavigation, type Drawer as OpenDrawer } from '../../navigation.ts';
import { useServices } from '../../services.tsx';
import { useConversation, useView } from '../../store.ts';
import { Button } from '../../ui/button.tsx';
import { contactDrawerTitle, Drawer, hopDrawerTitle } from '../../ui/drawer.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Late, late } from '../../ui/late.tsx';
import { Conversation } from './conversation.tsx';
import { ConversationList } from './conversation-list.tsx';
import './conversations.css';

const ContactDrawer = late(async () => (await import('../contacts/contact-drawer.tsx')).ContactDrawer);
const HopDrawer = late(async () => (await import('../hoplog/hop-drawer.tsx')).HopDrawer);

export function Chats() {
  const conversationId = useNavigation((state) => state.conversationId);
  const chosen = useNavigation((state) => state.drawer);
  const arrived = useDeferredValue(chosen);
  // What is closed is gone at once; what is opened comes when it is here.
  const drawer = chosen === undefined ? undefined : arrived;
  const conversation = useConversation(conversationId);
  useEffect(() => {
    const idle = requestIdleCallback(() => {
      HopDrawer.fetchAhead();
      ContactDrawer.fetchAhead();
    });
    return () => cancelIdleCallback(idle);
  }, []);
  return (
    <main className={`chats${conversation === undefined ? '' : ' chats--open'}`} aria-label="Chats">
      <ConversationList />
      {conversation === undefined ? <NothingOpen /> : <Conversation key={conversation.id} conversation={conversation} />}
      <Beside drawer={conversation === undefined ? undefined : drawer} conversation={conversation} />
    </main>
  );
}

function Beside({ drawer, conversation }: { readonly drawer: OpenDrawer | undefined; readonly conversation: ConversationView | undefined }) {
  return (
    <Late id={drawer?.kind ?? 'none'} what="These details" meanwhile={<Drawer title={drawer?.kind === 'hops' ? hopDrawerTitle : contactDrawerTitle} onClose={navigation.closeDrawer} />}>
      {drawer === undefined || conversation === undefined ? null : drawer.kind === 'hops' ? <HopDrawer key={drawer.messageId} messageId={drawer.messageId} /> : <ContactDrawer conversation={conversation} />}
    </Late>
  );
}

function NothingOpen() {
  const { client, run } = useServices();
  const any = useView((view) => view.conversations.some((one) => one.standing !== 'blocked'));
  const echo = useView((view) => view.echo.state);
  const startEcho = async (): Promise<void> => {
    const started = await run(() => client.echo.start());
    if (started !== undefined) navigation.openConversation(started.conversationId);
  };
  return (
    <section className="conversation chats__empty" aria-label="No conversation open">
      {any
        ? <EmptyState icon={MessagesSquare} title="Choose a conversation" text="Alt and the arrow keys move between them, Ctrl+K finds anybody by name." />
        : (
          <EmptyState icon={MessagesSquare} title="Your conversations appear here" text="Every message shows where it is: saved here, held by a relay, delivered, read. Try it with Echo, a second visor inside this app.">
            {echo === 'absent' ? <Button variant="primary" onClick={() => { void startEcho(); }}>Try it with Echo</Button> : null}
          </EmptyState>
        )}
    </section>
  );
}
