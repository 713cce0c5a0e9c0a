/** What must not be overlooked, above everything: unconfirmed words, a disk that cannot be written, a replaced installation. */
import { KeyRound, OctagonAlert } from 'lucide-react';
import { navigation } from '../../navigation.ts';
import { useView } from '../../store.ts';
import { Button } from '../../ui/button.tsx';

export function Banners() {
  const kind = useView((view) => view.connection.kind);
  const confirmed = useView((view) => view.identity.wordsConfirmed);
  return (
    <div className="frame__banners" role="region" aria-label="Reminders">
      {kind === 'storage-failed' ? <div className="banner banner--danger"><OctagonAlert size={20} strokeWidth={1.75} aria-hidden /><span className="grow">Waypost cannot write to this disk, so nothing new is saved or sent. Free some space; it goes on by itself.</span></div> : null}
      {kind === 'revoked' ? <div className="banner banner--danger"><OctagonAlert size={20} strokeWidth={1.75} aria-hidden /><span className="grow">A newer installation of yours has replaced this one. Your history stays here, but messages go to the new one.</span></div> : null}
      {confirmed ? null : (
        <div className="banner">
          <KeyRound size={20} strokeWidth={1.75} aria-hidden />
          <span className="grow">Your 24 words are not confirmed yet. Without them nobody can restore this identity, not even you.</span>
          <Button size="small" onClick={() => navigation.openDialog('words')}>Confirm now</Button>
        </div>
      )}
    </div>
  );
}
