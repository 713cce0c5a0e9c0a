/** Your own link: made fresh each time, as QR code and as text. */
import { useEffect, useState } from 'react';
import { navigation } from '../../navigation.ts';
import { errorSentence, useServices } from '../../services.tsx';
import { useView } from '../../store.ts';
import { Fingerprint } from '../../ui/bits.tsx';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { QrCode } from '../../ui/qr-code.tsx';
import './contacts.css';

export function ShareLinkDialog() {
  const { client } = useServices();
  const fingerprint = useView((view) => view.identity.fingerprint);
  const noRelay = useView((view) => view.relays.length === 0);
  const [link, setLink] = useState<string | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  useEffect(() => {
    let gone = false;
    client.invites.create().then((made) => { if (!gone) setLink(made.link); }, (thrown: unknown) => { if (!gone) setProblem(errorSentence(thrown)); });
    return () => { gone = true; };
  }, [client]);
  return (
    <Dialog title="Share your link" description="Who gets this link first-hand becomes a friend without asking. Give each friend a link of their own." onClose={navigation.closeDialog}>
      {problem === undefined ? null : <p className="field__error" role="alert">{problem}</p>}
      {noRelay ? <p>You have no relay yet, so friends can only reach you while you are online. <Button size="small" variant="quiet" onClick={() => navigation.openDialog('add-relay')}>Add a relay</Button></p> : null}
      {link === undefined ? null : (
        <>
          <QrCode text={link} label="Your invite link as a QR code" />
          <p className="mono link-box" tabIndex={0} role="group" aria-label="Your invite link">{link}</p>
        </>
      )}
      <div>
        <h3>Your fingerprint</h3>
        <p className="muted">Compare it when you talk: both of you must see the same six words.</p>
        <Fingerprint fingerprint={fingerprint} />
      </div>
      <div className="dialog__actions">
        {link === undefined ? null : <CopyButton primary text={link} label="Copy link" />}
      </div>
    </Dialog>
  );
}
