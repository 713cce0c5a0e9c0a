/** Adding a friend: their link or address pasted, or their QR code from a picture; a preview before anything is added. */
import { CircleCheck } from 'lucide-react';
import { useEffect, useRef, useState, type SubmitEvent } from 'react';
import type { InvitePreview } from '../../../shared/contract.ts';
import { countOf } from '../../../shared/quantities.ts';
import { shortKey } from '../../../shared/sentences.ts';
import { navigation } from '../../navigation.ts';
import { errorSentence, useServices } from '../../services.tsx';
import { Fingerprint, Monogram } from '../../ui/bits.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextArea, TextField } from '../../ui/field.tsx';
import { QrPicker } from '../../ui/qr-picker.tsx';
import './contacts.css';

/** A pasted link is judged at once; typing waits for a pause. */
const previewDelayMs = 250;

type Judged = { readonly link: string } & ({ readonly preview: InvitePreview } | { readonly problem: string });

export function AddFriendDialog() {
  const input = useRef<HTMLTextAreaElement>(null);
  const { client } = useServices();
  const [link, setLink] = useState('');
  const [name, setName] = useState('');
  const [judged, setJudged] = useState<Judged | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const [addProblem, setAddProblem] = useState<string | undefined>(undefined);
  const trimmed = link.trim();

  useEffect(() => {
    if (trimmed === '') return;
    let gone = false;
    const timer = setTimeout(() => {
      client.contacts.preview({ link: trimmed }).then(
        (preview) => { if (!gone) setJudged({ link: trimmed, preview }); },
        (thrown: unknown) => { if (!gone) setJudged({ link: trimmed, problem: errorSentence(thrown) }); },
      );
    }, previewDelayMs);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [client, trimmed]);

  const current = judged?.link === trimmed ? judged : undefined;
  const preview = current !== undefined && 'preview' in current ? current.preview : undefined;
  const problem = current !== undefined && 'problem' in current ? current.problem : addProblem;
  const add = (event: SubmitEvent): void => {
    event.preventDefault();
    if (preview === undefined) return;
    setBusy(true);
    const chosen = name.trim();
    client.contacts.add({ link: trimmed, ...(chosen === '' ? {} : { name: chosen }) }).then(
      ({ conversationId }) => {
        navigation.closeDialog();
        navigation.openConversation(conversationId);
      },
      (thrown: unknown) => {
        setAddProblem(errorSentence(thrown));
        setBusy(false);
      },
    );
  };
  return (
    <Dialog title="Add a friend" description="Paste the invite link or the address your friend gave you." initialFocus={input} onClose={navigation.closeDialog}>
      <form className="stack" onSubmit={add}>
        <TextArea ref={input} label="Link or address" rows={3} spellCheck={false} autoComplete="off" value={link} error={problem} onChange={(event) => { setLink(event.target.value); setAddProblem(undefined); }} />
        <QrPicker onText={setLink} onProblem={(sentence) => setJudged({ link: trimmed, problem: sentence })} />
        {preview === undefined ? null : (
          <>
            <PreviewCard preview={preview} />
            <TextField label="What you call them" maxLength={64} autoComplete="off" placeholder={preview.name} value={name} onChange={(event) => setName(event.target.value)} />
          </>
        )}
        <div className="dialog__actions">
          <Button onClick={() => navigation.openDialog('share-link')}>Share your link instead</Button>
          <Button type="submit" variant="primary" disabled={preview === undefined || busy}>{preview?.alreadyContact === true ? 'Open conversation' : 'Add friend'}</Button>
        </div>
      </form>
    </Dialog>
  );
}

function PreviewCard({ preview }: { readonly preview: InvitePreview }) {
  const name = preview.name === '' ? shortKey(preview.publicKey) : preview.name;
  return (
    <div className="preview" role="group" aria-label="Preview">
      <Monogram name={name} />
      <div className="stack stack--tight grow">
        <div>
          <p className="preview__name">{name}</p>
          <Fingerprint fingerprint={preview.fingerprint} />
        </div>
        <p className="preview__relays">{preview.relays.length === 0 ? 'This address names no relay. Waypost asks yours where to find them.' : `Reached by ${countOf(preview.relays.length, 'relay', 'relays')}: ${preview.relays.join(', ')}`}</p>
        {preview.alreadyContact ? <p className="row"><CircleCheck size={16} strokeWidth={1.75} aria-hidden />Already among your friends.</p> : null}
      </div>
    </div>
  );
}
