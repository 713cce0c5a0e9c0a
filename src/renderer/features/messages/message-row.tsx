/** One message: its bubble, time, state icon and, for the newest own one, its state in words with what can be done. */
import { ClockArrowDown } from 'lucide-react';
import { clockWords, dayWords, exactWords, momentWords } from '../../../shared/quantities.ts';
import { headlineSentence, headlineWords, missingSentence } from '../../../shared/sentences.ts';
import type { MessageView } from '../../../shared/views.ts';
import { navigation } from '../../navigation.ts';
import { useServices } from '../../services.tsx';
import { isPicture } from './file-facts.ts';
import { FilePart } from './file-part.tsx';
import type { Row } from './rows.ts';
import { StateIcon } from './state-icon.tsx';

export const openHops = (messageId: string): void => navigation.openDrawer({ kind: 'hops', messageId });

interface MessageRowProps {
  readonly row: Row;
  readonly from: string;
  readonly nowMs: number;
  /** Whether this message is the one that takes the focus. */
  readonly active: boolean;
}

export function MessageRow({ row, from, nowMs, active }: MessageRowProps) {
  const { message } = row;
  const { file } = message;
  const own = message.direction === 'out';
  const classes = ['message', own ? 'message--own' : '', row.firstOfGroup ? 'message--first' : '', row.lastOfGroup ? 'message--last' : ''].filter((name) => name !== '').join(' ');
  return (
    <div className="messages__width">
      {row.dayMs === undefined ? null : <div className="day"><span>{dayWords(row.dayMs, nowMs)}</span></div>}
      {message.missingBefore > 0 ? <div className="gap"><ClockArrowDown size={16} strokeWidth={1.75} aria-hidden />{missingSentence(message.missingBefore)}</div> : null}
      <div className={classes}>
        <div className={`bubble${file === undefined ? '' : isPicture(file) ? ' bubble--picture' : ' bubble--file'}`}>
          <span className="visually-hidden">{own ? 'You' : from}: </span>
          {file === undefined ? null : <FilePart message={message} file={file} focusable={active} />}
          {file !== undefined && message.text === '' ? null : <div className="bubble__text">{message.text}</div>}
          <div className="bubble__meta">
            <time className="numeric" dateTime={new Date(message.sentAtMs).toISOString()} title={exactWords(message.sentAtMs)}>{clockWords(message.sentAtMs)}</time>
            {own ? (
              <button type="button" className="bubble__state" tabIndex={-1} title={headlineSentence(message.headline, nowMs)} aria-label={`${headlineWords(message.headline, nowMs)}. Show where this message has been`} onClick={() => openHops(message.id)}>
                <StateIcon headline={message.headline} />
              </button>
            ) : null}
          </div>
        </div>
        {row.lastOutgoing || message.headline.state === 'failed' ? <StateWords message={message} nowMs={nowMs} /> : null}
      </div>
    </div>
  );
}

function StateWords({ message, nowMs }: { readonly message: MessageView; readonly nowMs: number }) {
  const { client, run } = useServices();
  const { headline, id } = message;
  // A file has its own button, which takes the message back with it.
  const words = headline.state === 'delivered' || headline.state === 'read' ? `${headlineWords(headline, nowMs)} ${momentWords(headline.atMs, nowMs)}` : headline.state === 'queued' ? headlineSentence(headline, nowMs) : headlineWords(headline, nowMs);
  const cancellable = message.file === undefined && (headline.state === 'queued' || headline.state === 'sending' || headline.state === 'stored');
  return (
    <div className={`message__words${headline.state === 'failed' ? ' message__words--danger' : ''}`}>
      <span data-state={headline.state}>{words}</span>
      {headline.state === 'failed' ? <button type="button" onClick={() => { void run(() => client.messages.retry({ messageId: id })); }}>Try again</button> : null}
      {cancellable ? <button type="button" onClick={() => { void run(() => client.messages.cancel({ messageId: id })); }}>Cancel</button> : null}
    </div>
  );
}
