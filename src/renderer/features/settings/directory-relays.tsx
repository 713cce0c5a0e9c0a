/** Relays that are asked where somebody is of whom only the key is known: a short list, to add to and take from. */
import { useState, type SubmitEvent } from 'react';
import { directoryRelaysMaximum } from '../../../shared/views.ts';
import { shortKey } from '../../../shared/sentences.ts';
import { errorSentence, useServices } from '../../services.tsx';
import { useView } from '../../store.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';

const explanation = 'Asked where somebody is, when you have only their address and neither your relays nor theirs know. Each learns whom you look for.';

export function DirectoryRelays() {
  const { client, run } = useServices();
  const relays = useView((view) => view.settings.directoryRelays);
  const [hint, setHint] = useState('');
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const add = (event: SubmitEvent): void => {
    event.preventDefault();
    const wanted = hint.trim();
    client.settings.update({ directoryRelays: [...relays.filter((one) => one !== wanted), wanted] }).then(() => setHint(''), (thrown: unknown) => setProblem(errorSentence(thrown)));
  };
  return (
    <>
      <p className="muted">{explanation}</p>
      {relays.length === 0 ? null : (
        <ul className="stack stack--tight" aria-label="Directory relays">
          {relays.map((relay) => {
            const [key = '', address = ''] = relay.split('@');
            return (
              <li key={relay} className="row">
                <span className="grow truncate" title={relay}>{address} <span className="muted mono">{shortKey(key)}</span></span>
                <Button size="small" aria-label={`Remove ${address}`} onClick={() => { void run(() => client.settings.update({ directoryRelays: relays.filter((one) => one !== relay) })); }}>Remove</Button>
              </li>
            );
          })}
        </ul>
      )}
      {relays.length >= directoryRelaysMaximum ? null : (
        <form className="stack stack--tight" onSubmit={add}>
          <TextField label="Directory relay" placeholder="key@host:port" autoComplete="off" spellCheck={false} value={hint} error={problem} onChange={(event) => { setHint(event.target.value); setProblem(undefined); }} />
          <div><Button type="submit" disabled={hint.trim() === ''}>Add directory relay</Button></div>
        </form>
      )}
    </>
  );
}
