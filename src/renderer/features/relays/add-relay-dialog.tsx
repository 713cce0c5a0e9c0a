/** Adding a relay by its link, `key@host:port`, or by a QR code that holds one. */
import { useRef, useState, type SubmitEvent } from 'react';
import { navigation } from '../../navigation.ts';
import { errorSentence, useServices } from '../../services.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextArea } from '../../ui/field.tsx';
import { QrPicker } from '../../ui/qr-picker.tsx';

export function AddRelayDialog() {
  const input = useRef<HTMLTextAreaElement>(null);
  const { client } = useServices();
  const [hint, setHint] = useState('');
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const add = (event: SubmitEvent): void => {
    event.preventDefault();
    setBusy(true);
    client.relays.add({ hint: hint.trim() }).then(navigation.closeDialog, (thrown: unknown) => {
      setProblem(errorSentence(thrown));
      setBusy(false);
    });
  };
  return (
    <Dialog title="Add a relay" description="Paste the link its operator gave you. It holds the key of the relay, so nobody can pretend to be it." initialFocus={input} onClose={navigation.closeDialog}>
      <form className="stack" onSubmit={add}>
        <TextArea ref={input} label="Relay link" rows={3} spellCheck={false} autoComplete="off" placeholder="key@host:port" value={hint} error={problem} onChange={(event) => { setHint(event.target.value); setProblem(undefined); }} />
        <QrPicker onText={(text) => { setHint(text); setProblem(undefined); }} onProblem={setProblem} />
        <div className="dialog__actions">
          <Button onClick={navigation.closeDialog}>Cancel</Button>
          <Button type="submit" variant="primary" disabled={busy || hint.trim() === ''}>Add relay</Button>
        </div>
      </form>
    </Dialog>
  );
}
