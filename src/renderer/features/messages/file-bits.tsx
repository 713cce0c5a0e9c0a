/** The small parts of a file: its icon, its name shortened in the middle, how far it is, and what can be done. */
import { CircleX, Download, File, FileArchive, FileHeadphone, FileImage, FilePlay, FileSpreadsheet, FileText, Pause, Play, RotateCw, Save, type LucideIcon } from 'lucide-react';
import { sizeWords } from '../../../shared/quantities.ts';
import { fileStateLines, percentOf } from '../../../shared/file-sentences.ts';
import type { FileView } from '../../../shared/file-views.ts';
import type { MessageView } from '../../../shared/views.ts';
import { navigation } from '../../navigation.ts';
import { useServices } from '../../services.tsx';
import { Button } from '../../ui/button.tsx';
import { fileActions, fileKind, splitName, type FileAction, type FileKind } from './file-facts.ts';

const kindIcons: Readonly<Record<FileKind, LucideIcon>> = {
  image: FileImage, audio: FileHeadphone, video: FilePlay, archive: FileArchive, text: FileText, table: FileSpreadsheet, other: File,
};

export function FileIcon({ name, mediaType, size = 20 }: { readonly name: string; readonly mediaType?: string; readonly size?: 16 | 20 }) {
  const Icon = kindIcons[fileKind(name, mediaType)];
  return <Icon size={size} strokeWidth={1.75} aria-hidden />;
}

/** Shortened in the middle for the eye, whole for everybody else. */
export function FileName({ name }: { readonly name: string }) {
  const [start, end] = splitName(name);
  return (
    <span className="file-name" title={name}>
      <span className="visually-hidden">{name}</span>
      <bdi className="file-name__start" aria-hidden>{start}</bdi>
      <bdi className="file-name__end" aria-hidden>{end}</bdi>
    </span>
  );
}

/** Size or progress first, then what is to be said about it; both may be empty. */
export function fileLines(file: FileView, direction: MessageView['direction']): readonly string[] {
  const [state, more] = fileStateLines(file, direction);
  const countsItself = file.state.state === 'moving' || (file.state.state === 'waiting' && file.state.doneBytes > 0);
  return (countsItself ? [state, more] : [sizeWords(file.sizeBytes), state, more]).filter((line) => line !== '');
}

export function FileProgress({ file, direction }: { readonly file: FileView; readonly direction: MessageView['direction'] }) {
  const { state, name, sizeBytes } = file;
  const doneBytes = state.state === 'moving' ? state.doneBytes : state.state === 'waiting' && state.doneBytes > 0 ? state.doneBytes : undefined;
  if (doneBytes === undefined) return null;
  const percent = percentOf(doneBytes, sizeBytes);
  return (
    <div className="file-progress" role="progressbar" aria-label={`Progress of ${name}`} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent} aria-valuetext={`${String(percent)} %. ${fileStateLines(file, direction).filter((line) => line !== '').join('. ')}`}>
      <div className={`file-progress__done${state.state === 'moving' ? '' : ' file-progress__done--still'}`} style={{ width: `${String(percent)}%` }} />
    </div>
  );
}

const actionIcons: Readonly<Record<FileAction, LucideIcon>> = { download: Download, pause: Pause, resume: Play, retry: RotateCw, save: Save, cancel: CircleX };
const actionWords = (action: FileAction, file: FileView): string => {
  switch (action) {
    case 'download': return `Download ${sizeWords(file.sizeBytes)}`;
    case 'pause': return 'Pause';
    case 'resume': return 'Resume';
    case 'retry': return 'Try again';
    case 'save': return 'Save as…';
    case 'cancel': return 'Cancel';
  }
};

/** Runs what a button says; saving tells where the file went. */
export function useFileAction(messageId: string): (action: FileAction) => void {
  const { client, run } = useServices();
  return (action) => {
    void run(async () => {
      switch (action) {
        case 'download': case 'resume': case 'retry': return client.files.fetch({ messageId });
        case 'pause': return client.files.pause({ messageId });
        case 'cancel': return client.files.cancel({ messageId });
        case 'save': {
          const { path } = await client.files.save({ messageId });
          if (path !== undefined) navigation.toast('good', `Saved to ${path}`);
          return undefined;
        }
      }
    });
  };
}

/** Reached with Tab from the message that has the focus; the others stay out of the way. */
export function FileActions({ message, file, focusable }: { readonly message: MessageView; readonly file: FileView; readonly focusable: boolean }) {
  const act = useFileAction(message.id);
  const actions = fileActions({ ...message, file });
  if (actions.length === 0) return null;
  return (
    <div className="file-actions" role="group" aria-label={`What you can do with ${file.name}`}>
      {actions.map((action) => (
        <Button key={action} size="small" variant={action === 'cancel' ? 'quiet' : 'secondary'} icon={actionIcons[action]} tabIndex={focusable ? 0 : -1} onClick={() => act(action)}>{actionWords(action, file)}</Button>
      ))}
    </div>
  );
}
