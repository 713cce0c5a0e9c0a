/**
 * Writing: Enter sends, Shift+Enter starts a new line, drafts are saved while typing and when leaving; one too long for that stays in this window.
 * Files that are chosen stand above the text, which goes with the first of them.
 */
import { Paperclip, SendHorizontal } from 'lucide-react';
import { useEffect, useEffectEvent, useId, useRef, useState, type KeyboardEvent } from 'react';
import { fileTextMaximumBytes } from '../../../shared/file-views.ts';
import type { ConversationView } from '../../../shared/views.ts';
import { useShortcut } from '../../keys.ts';
import { useNavigation } from '../../navigation.ts';
import { useServices } from '../../services.tsx';
import { AttachmentChips } from './attachment-chips.tsx';
import { isRefused, outgoingOf, pickAndAttach, sendAttachments, useOutgoing, type Outgoing } from './attachments.ts';
import { sizeNote } from './bytes.ts';
import { keepOversizeDraft, oversizeDraft } from './oversize-drafts.ts';

/** Short enough that a crash costs a word, long enough that typing does not write to the disk with every key. */
const draftDelayMs = 500;

/** The text that is going with a file just now. */
const unsentText = ({ sending }: Outgoing): string | undefined => (sending === undefined || sending.isTextSent ? undefined : sending.text);

/** Nobody should be surprised by where the text ends up. */
const severalFilesNote = (count: number): string => `${String(count)} files become ${String(count)} messages, in this order. A text goes with the first.`;

export function Composer({ conversation }: { readonly conversation: ConversationView }) {
  const { client, files, run } = useServices();
  const outgoing = useOutgoing(conversation.id);
  const [text, setText] = useState(() => unsentText(outgoingOf(conversation.id)) ?? oversizeDraft(conversation.id) ?? conversation.draft);
  const [busy, setBusy] = useState(false);
  const savedDraft = useRef(conversation.draft);
  const input = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const hasFiles = outgoing.attachments.length > 0;
  const isSendingFiles = outgoing.sending !== undefined;
  const note = hasFiles ? sizeNote(text, fileTextMaximumBytes) : sizeNote(text);
  const isTooLongToSave = sizeNote(text).kind === 'over';
  const isTextGoing = unsentText(outgoing) !== undefined;
  const sendable = (hasFiles ? !outgoing.attachments.some(isRefused) : text.trim() !== '') && note.kind !== 'over' && !busy && !isSendingFiles;

  const saveDraft = useEffectEvent(() => {
    // A text over the limit is not a valid draft; the last one that fitted stays saved, and this one in memory.
    if (text === savedDraft.current || isTooLongToSave || busy || isTextGoing) return;
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
  const clear = useEffectEvent(() => {
    setText('');
    savedDraft.current = '';
    input.current?.focus();
  });
  // The text is gone from here as soon as its file has it, also when this conversation was left and opened again meanwhile.
  const textSent = outgoing.sending?.textSent;
  useEffect(() => {
    // What is written after the text has gone is another one.
    if (textSent === undefined || outgoingOf(conversation.id).sending?.isTextSent === true) return;
    let gone = false;
    void textSent.then((isSent) => { if (isSent && !gone) clear(); });
    return () => { gone = true; };
  }, [textSent, conversation.id]);

  async function send(): Promise<void> {
    if (!sendable) return;
    if (hasFiles) {
      // Sealing may take minutes: the text outlives them here even if this window does not.
      if (text !== savedDraft.current && !isTooLongToSave) void run(() => client.messages.saveDraft({ conversationId: conversation.id, text }));
      savedDraft.current = text;
      sendAttachments(client, conversation.id, text.trim() === '' ? '' : text);
      const isSent = await outgoingOf(conversation.id).sending?.textSent;
      if (isSent === true) void run(() => client.messages.saveDraft({ conversationId: conversation.id, text: '' }));
      return;
    }
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
  const pick = (): void => {
    void pickAndAttach(conversation.id, files).then(() => input.current?.focus());
  };
  const dialog = useNavigation((state) => state.dialog);
  useShortcut('attach', () => {
    if (dialog !== undefined && dialog !== 'palette') return false;
    pick();
    return true;
  });

  return (
    <form className="composer" data-pane="composer" aria-label="Write a message" onSubmit={(event) => { event.preventDefault(); void send(); }}>
      <div className="composer__width">
        <AttachmentChips conversation={conversation} outgoing={outgoing} />
        <div className={`composer__box${note.kind === 'over' ? ' composer__box--over' : ''}`}>
          <button type="button" className="icon-button composer__attach" aria-label="Attach files" title="Attach files (Ctrl+U)" disabled={isSendingFiles} onClick={pick}><Paperclip size={20} strokeWidth={1.75} aria-hidden /></button>
          <textarea
            ref={input} className="composer__text" rows={1} autoFocus aria-label={`Message to ${conversation.name}`} placeholder={hasFiles ? 'Add a text (optional)' : `Message to ${conversation.name}`} aria-describedby={`${id}-size`} aria-invalid={note.kind === 'over'}
            readOnly={busy || isTextGoing} value={text} onChange={(event) => write(event.target.value)} onKeyDown={onKeyDown}
          />
          <button type="submit" className="icon-button composer__send" aria-label="Send" title="Send (Enter)" disabled={!sendable}><SendHorizontal size={20} strokeWidth={1.75} aria-hidden /></button>
        </div>
        <div className="composer__notes" id={`${id}-size`} aria-live="polite">
          {note.kind !== 'short' || outgoing.attachments.length < 2 || isSendingFiles ? null : <span>{severalFilesNote(outgoing.attachments.length)}</span>}
          {note.kind === 'short' ? null : <span className={note.kind === 'over' ? 'over' : 'numeric'}>{note.sentence}</span>}
        </div>
      </div>
    </form>
  );
}
