/** Name, passphrase where the system keeps no keys, and for an existing identity its 24 words or its Skywire secret key. */
import { useState, type SubmitEvent } from 'react';
import type { AccountView } from '../../../shared/contract.ts';
import { navigation } from '../../navigation.ts';
import { errorSentence, useServices } from '../../services.tsx';
import { Button } from '../../ui/button.tsx';
import { TextArea, TextField } from '../../ui/field.tsx';
import { passphraseProblem } from './passphrase.ts';
import { secretFrom } from './secret-input.ts';
import { Sheet } from './sheet.tsx';

export type Intent = 'create' | 'restore' | 'echo';

const titles: Readonly<Record<Intent, readonly [title: string, text: string, action: string]>> = {
  create: ['What should friends call you?', 'The name goes into the links you share. You can change it at any time.', 'Create'],
  restore: ['Bring your identity here', 'Enter the 24 words, or the secret key of a Skywire visor. An older installation with the same identity stops receiving.', 'Restore'],
  echo: ['What should Echo call you?', 'Echo is a second visor inside this app. It answers whatever you write, so you can see how messages travel.', 'Start with Echo'],
};

export function IdentityForm({ intent, account, onBack }: { readonly intent: Intent; readonly account: AccountView; readonly onBack: () => void }) {
  const { client, sync } = useServices();
  const [name, setName] = useState('');
  const [secret, setSecret] = useState('');
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  const [problems, setProblems] = useState<{ readonly name?: string; readonly secret?: string; readonly passphrase?: string; readonly call?: string }>({});
  const [busy, setBusy] = useState(false);
  const needsPassphrase = account.protection === 'unavailable';
  const [title, text, action] = titles[intent];

  async function make(): Promise<void> {
    const shared = { name: name.trim(), ...(needsPassphrase ? { passphrase } : {}) };
    const next = intent === 'restore' ? await client.account.restore({ ...shared, ...secretFrom(secret) }) : await client.account.create(shared);
    if (intent === 'create') navigation.setWordsPending(true);
    sync.setAccount(next);
    if (intent !== 'echo') return;
    const { conversationId } = await client.echo.start();
    navigation.openConversation(conversationId);
  }

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const nameProblem = name.trim() === '' ? 'Enter a name, or a nickname.' : undefined;
    const secretProblem = intent === 'restore' && secretFrom(secret) === undefined ? 'Enter all 24 words with spaces between them, or a secret key of 64 hex digits.' : undefined;
    const phraseProblem = needsPassphrase ? passphraseProblem(passphrase, again) : undefined;
    setProblems({ ...(nameProblem === undefined ? {} : { name: nameProblem }), ...(secretProblem === undefined ? {} : { secret: secretProblem }), ...(phraseProblem === undefined ? {} : { passphrase: phraseProblem }) });
    if (nameProblem !== undefined || secretProblem !== undefined || phraseProblem !== undefined) return;
    setBusy(true);
    make().catch((thrown: unknown) => {
      setProblems({ call: errorSentence(thrown) });
      setBusy(false);
    });
  };

  return (
    <Sheet title={title} text={text}>
      <form onSubmit={submit} noValidate>
        <TextField label="Name" autoFocus maxLength={64} autoComplete="off" value={name} error={problems.name} onChange={(event) => setName(event.target.value)} />
        {intent === 'restore' ? <TextArea label="24 words or secret key" rows={4} spellCheck={false} autoComplete="off" autoCapitalize="off" value={secret} error={problems.secret} onChange={(event) => setSecret(event.target.value)} /> : null}
        {needsPassphrase ? (
          <>
            <TextField label="Passphrase" type="password" autoComplete="new-password" value={passphrase} error={problems.passphrase} hint="This system offers no key store, so a passphrase protects your key. You enter it whenever Waypost starts." onChange={(event) => setPassphrase(event.target.value)} />
            <TextField label="Passphrase again" type="password" autoComplete="new-password" value={again} onChange={(event) => setAgain(event.target.value)} />
          </>
        ) : null}
        <div role="alert">{problems.call === undefined ? null : <p className="field__error">{problems.call}</p>}</div>
        <div className="sheet__actions">
          <Button onClick={onBack}>Back</Button>
          <Button type="submit" variant="primary" disabled={busy}>{busy ? 'One moment' : action}</Button>
        </div>
      </form>
    </Sheet>
  );
}
