/** Writing: Enter sends, Shift+Enter starts a new line, drafts are saved while typing and when leaving; one too long for that stays in this window. */
import { SendHorizontal } from 'lucide-react';
import { useEffect, useEffectEvent, useId, useRef, useState, type KeyboardEvent } from 'react';
import type { ConversationView } from '../../../shared/views.ts';
import { useServices } from '../../services.tsx';
import { sizeNote } from './bytes.ts';
import { keepOversizeDraft, oversizeDraft } from './oversize-drafts.ts';

/** Short enough that a crash costs a word, long enough that typing does not write to the disk with every key. */
const draftDelayMs = 500;

export function Composer({ conversation }: { readonly conversation: ConversationView }) {
  const { client, run } = useServices();
  const [text, setText] = useState(() => oversizeDraft(conversation.id) ?? conversation.draft);
  const [busy, setBusy] = useState(false);
  const savedDraft = useRef(conversation.draft);
  const input = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const note = sizeNote(text);
  const sendable = text.trim() !== '' && note.kind !== 'over' && !busy;

  const saveDraft = useEffectEvent(() => {
    // A text over the limit is not a valid draft; the last one that fitted stays saved, and this one in memory.
    if (text === savedDraft.current || note.kind === 'over' || busy) return;
    savedDraft.current = text;
    void run(() => client.messages.saveDraft({ conversationId: conversation.id, text }));
  });
  useEffect(() => {
    const timer = setTimeout(() => saveDraft(), draftDelayMs);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => {
    const flush = (): void => saveDraft();
    window.addEventListener('blur', flush);
    window.addEventListener('pagehide', flush);
    return () => {
      flush();
      window.removeEventListener('blur', flush);
      window.removeEventListener('pagehide', flush);
    };
  }, []);

  const write = (next: string): void => {
    setText(next);
    keepOversizeDraft(conversation.id, sizeNote(next).kind === 'over' ? next : undefined);
  };

  async function send(): Promise<void> {
    if (!sendable) return;
    setBusy(true);
    const sent = await run(() => client.messages.send({ to: conversation.id, text }));
    if (sent !== undefined) {
      setText('');
      savedDraft.current = '';
      void run(() => client.messages.saveDraft({ conversationId: conversation.id, text: '' }));
    }
    setBusy(false);
    input.current?.focus();
  }
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.altKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send();
  };

  return (
    <form className="composer" data-pane="composer" aria-label="Write a message" onSubmit={(event) => { event.preventDefault(); void send(); }}>
      <div className="composer__width">
        <div className={`composer__box${note.kind === 'over' ? ' composer__box--over' : ''}`}>
          <textarea
            ref={input} className="composer__text" rows={1} autoFocus aria-label={`Message to ${conversation.name}`} placeholder={`Message to ${conversation.name}`} aria-describedby={`${id}-size`} aria-invalid={note.kind === 'over'}
            readOnly={busy} value={text} onChange={(event) => write(event.target.value)} onKeyDown={onKeyDown}
          />
          <button type="submit" className="icon-button composer__send" aria-label="Send" title="Send (Enter)" disabled={!sendable}><SendHorizontal size={20} strokeWidth={1.75} aria-hidden /></button>
        </div>
        <div className="composer__notes" id={`${id}-size`} aria-live="polite">
          {note.kind === 'short' ? null : <span className={note.kind === 'over' ? 'over' : 'numeric'}>{note.sentence}</span>}
        </div>
      </div>
    </form>
  );
}
