/** Who somebody is: name, fingerprint, address; and blocking. */
import { useState, type SubmitEvent } from 'react';
import { shortKey } from '../../../shared/sentences.ts';
import type { ConversationView } from '../../../shared/views.ts';
import { navigation } from '../../navigation.ts';
import { useServices } from '../../services.tsx';
import { Fingerprint } from '../../ui/bits.tsx';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { ConfirmDialog } from '../../ui/dialog.tsx';
import { contactDrawerTitle, Drawer } from '../../ui/drawer.tsx';
import { TextField } from '../../ui/field.tsx';

export function ContactDrawer({ conversation }: { readonly conversation: ConversationView }) {
  const { client, run } = useServices();
  const [name, setName] = useState(conversation.name);
  const [asking, setAsking] = useState(false);
  const { publicKey } = conversation;
  const rename = (event: SubmitEvent): void => {
    event.preventDefault();
    void run(() => client.contacts.rename({ publicKey, name: name.trim() }));
  };
  const block = (): void => {
    navigation.closeDrawer();
    void run(() => client.contacts.block({ publicKey })).then(() => navigation.openConversation(undefined));
  };
  return (
    <Drawer title={contactDrawerTitle} onClose={() => navigation.closeDrawer()}>
      <form className="stack stack--tight" onSubmit={rename}>
        <TextField label="What you call them" maxLength={64} autoComplete="off" value={name} onChange={(event) => setName(event.target.value)} />
        {name.trim() === '' || name.trim() === conversation.name ? null : <div><Button type="submit" variant="primary">Save name</Button></div>}
      </form>
      <section>
        <h3>Fingerprint</h3>
        <Fingerprint fingerprint={conversation.fingerprint} />
        <p className="muted">Compare these six words when you talk or meet. If they are the same on both sides, nobody is in between.</p>
      </section>
      <section>
        <h3>Address</h3>
        <p className="row"><span className="mono grow" title={conversation.id}>{shortKey(publicKey)}:{conversation.port}</span></p>
        <div><CopyButton text={conversation.id} label="Copy address" /></div>
      </section>
      {conversation.standing === 'blocked'
        ? <section><h3>Blocked</h3><div><Button onClick={() => { void run(() => client.contacts.unblock({ publicKey })); }}>Unblock</Button></div></section>
        : <section><h3>Block</h3><p className="muted">What they write no longer reaches you. They are not told.</p><div><Button onClick={() => setAsking(true)}>Block {conversation.name}</Button></div></section>}
      {asking ? <ConfirmDialog title={`Block ${conversation.name}?`} text="What they write no longer reaches you. You can unblock them in Settings." confirm="Block" onConfirm={block} onClose={() => setAsking(false)} /> : null}
    </Drawer>
  );
}
