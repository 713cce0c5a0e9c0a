/** What is folded away of a relay: what it can do in plain words, how much it keeps, and its key. */
import { mailboxSentence, relayAbilities } from '../../../shared/relay-capabilities.ts';
import { countOf } from '../../../shared/quantities.ts';
import type { RelayView } from '../../../shared/relay-views.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { useNow } from '../../ui/use-now.ts';
import { placeWords } from './order.ts';

export function RelayAbout({ relay, id }: { readonly relay: RelayView; readonly id: string }) {
  const nowMs = useNow();
  const { capabilities, mailbox, name, publicKey, address } = relay;
  const abilities = capabilities === undefined ? undefined : relayAbilities(capabilities);
  const place = placeWords(relay);
  return (
    <div className="relay__about" id={id}>
      {place === undefined ? null : <section><h3>Its place</h3><p>{place}.</p></section>}
      <section>
        <h3>What it can do</h3>
        {abilities === undefined ? <p className="muted">Not known while it is not connected.</p> : (
          <>
            <p>{abilities.version === undefined ? 'It does not say which version it speaks.' : `It speaks ${abilities.version}${abilities.words.length === 0 ? '.' : ', and'}`}</p>
            <ul className="relay__abilities">
              {abilities.words.map((words) => <li key={words}>{words}</li>)}
              {abilities.unknownCount === 0 ? null : <li className="muted">{countOf(abilities.unknownCount, 'more thing', 'more things')} that this Waypost does not know</li>}
            </ul>
          </>
        )}
      </section>
      {mailbox === undefined ? null : <section><h3>Your mailbox there</h3><p>{mailboxSentence(mailbox, nowMs)}</p></section>}
      <section>
        <h3>Its link</h3>
        <p className="relay__link"><span className="mono">{`${publicKey}@${address}`}</span><CopyButton iconOnly text={`${publicKey}@${address}`} label={`Copy the link of ${name}`} /></p>
      </section>
    </div>
  );
}
