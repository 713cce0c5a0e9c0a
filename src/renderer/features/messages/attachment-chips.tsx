/** What is about to be sent: each file with its size, what will happen to it, and the way to take it out again. */
import { CircleAlert, LoaderCircle, TriangleAlert, X } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { sizeWords } from '../../../shared/quantities.ts';
import { fileSizeSentence } from '../../../shared/file-sentences.ts';
import type { ToneSentence } from '../../../shared/sentences.ts';
import type { ConversationView } from '../../../shared/views.ts';
import { useServices } from '../../services.tsx';
import { IconButton } from '../../ui/button.tsx';
import { removeAttachment, type Attachment, type Outgoing } from './attachments.ts';
import { focusComposer } from './drop-target.tsx';
import { FileIcon, FileName } from './file-bits.tsx';

function noteOf({ state, problem, sizeBytes }: Attachment, relayHoldsBytes: number | undefined): ToneSentence | undefined {
  if (problem !== undefined) return { tone: 'danger', sentence: problem };
  if (state === 'sealing') return { tone: 'muted', sentence: 'Being sealed. After that the original is not needed any more.' };
  return fileSizeSentence(sizeBytes, relayHoldsBytes);
}

function Chip({ attachment, note, conversationId, isSending }: { readonly attachment: Attachment; readonly note: ToneSentence | undefined; readonly conversationId: string; readonly isSending: boolean }) {
  const { files } = useServices();
  const { name, sizeBytes, grant, state } = attachment;
  const NoteIcon = note?.tone === 'danger' ? CircleAlert : note?.tone === 'warning' ? TriangleAlert : undefined;
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    // In a long list, the one that has the turn or the problem is the one to see.
    if (state !== 'chosen') item.current?.scrollIntoView({ block: 'nearest' });
  }, [state]);
  return (
    <li ref={item} className={`chip${note === undefined ? '' : ` chip--${note.tone}`}`} aria-busy={state === 'sealing'}>
      <span className="chip__icon">{state === 'sealing' ? <LoaderCircle className="chip__busy" size={16} strokeWidth={1.75} aria-hidden /> : <FileIcon name={name} size={16} />}</span>
      <span className="chip__facts">
        <span className="chip__line"><FileName name={name} /><span className="chip__size numeric">{sizeWords(sizeBytes)}</span></span>
        {note === undefined ? null : <span className="chip__note">{NoteIcon === undefined ? null : <NoteIcon size={16} strokeWidth={1.75} aria-hidden />}<span>{note.sentence}</span></span>}
      </span>
      {isSending ? null : <IconButton small icon={X} label={`Remove ${name}`} onClick={() => { removeAttachment(conversationId, files, grant); focusComposer(); }} />}
    </li>
  );
}

export function AttachmentChips({ conversation: { id: conversationId, relayHoldsBytes }, outgoing }: { readonly conversation: ConversationView; readonly outgoing: Outgoing }) {
  const { attachments, sending } = outgoing;
  const noted = attachments.map((attachment) => ({ attachment, note: noteOf(attachment, relayHoldsBytes) }));
  const notes = noted.flatMap(({ attachment: { name }, note }) => (note === undefined ? [] : [{ name, sentence: note.sentence }]));
  return (
    <>
      {attachments.length === 0 ? null : <ul className="chips" aria-label="Files to send">{noted.map(({ attachment, note }) => <Chip key={attachment.grant} attachment={attachment} note={note} conversationId={conversationId} isSending={sending !== undefined} />)}</ul>}
      {/* The list comes and goes; what is said about it has to stand in a place that was there before. */}
      <div className="visually-hidden" aria-live="polite">{notes.map(({ name, sentence }) => `${name}: ${sentence}`).join(' ')}</div>
    </>
  );
}
