/** Asks for the passphrase that protects the key on this computer. */
import { useState, type SubmitEvent } from 'react';
import { errorSentence, useServices } from '../../services.tsx';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Sheet } from './sheet.tsx';

export function Unlock() {
  const { client, sync } = useServices();
  const [passphrase, setPassphrase] = useState('');
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const unlock = (event: SubmitEvent): void => {
    event.preventDefault();
    setBusy(true);
    client.account.unlock({ passphrase }).then(sync.setAccount, (thrown: unknown) => setProblem(errorSentence(thrown))).finally(() => setBusy(false));
  };
  return (
    <Sheet title="Unlock Waypost" text="Your key is kept on this computer under your passphrase. Nobody else can open it, and nobody can reset it.">
      <form onSubmit={unlock}>
        <TextField label="Passphrase" type="password" autoComplete="current-password" autoFocus value={passphrase} error={problem} onChange={(event) => { setPassphrase(event.target.value); setProblem(undefined); }} />
        <div><Button type="submit" variant="primary" size="large" disabled={busy || passphrase === ''}>{busy ? 'Unlocking' : 'Unlock'}</Button></div>
      </form>
    </Sheet>
  );
}
