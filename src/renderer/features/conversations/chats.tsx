/** Chats: list, conversation, drawer. */
import { MessagesSquare } from 'lucide-react';
import { navigation, useNavigation } from '../../navigation.ts';
import { useServices } from '../../services.tsx';
import { useConversation, useView } from '../../store.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ContactDrawer } from '../contacts/contact-drawer.tsx';
import { HopDrawer } from '../hoplog/hop-drawer.tsx';
import { Conversation } from './conversation.tsx';
import { ConversationList } from './conversation-list.tsx';
import './conversations.css';

export function Chats() {
  const conversationId = useNavigation((state) => state.conversationId);
  const drawer = useNavigation((state) => state.drawer);
  const conversation = useConversation(conversationId);
  return (
    <main className={`chats${conversation === undefined ? '' : ' chats--open'}`} aria-label="Chats">
      <ConversationList />
      {conversation === undefined ? <NothingOpen /> : <Conversation key={conversation.id} conversation={conversation} />}
      {drawer === undefined || conversation === undefined ? null : drawer.kind === 'hops' ? <HopDrawer key={drawer.messageId} messageId={drawer.messageId} /> : <ContactDrawer conversation={conversation} />}
    </main>
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
