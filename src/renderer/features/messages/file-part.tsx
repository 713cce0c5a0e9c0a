/**
 * The file of a message: pictures of the four known kinds inline, in a box that has its size before they are here; anything else as a card.
 * Nothing that was received is ever opened: it is shown or saved.
 */
import { CircleAlert, CircleSlash, Hourglass, ImageOff, type LucideIcon } from 'lucide-react';
import { useEffect, useRef, useState, type RefObject } from 'react';
import type { FileFailReason, FileView } from '../../../shared/file-views.ts';
import type { MessageView } from '../../../shared/views.ts';
import { navigation } from '../../navigation.ts';
import { FileActions, FileIcon, fileLines, FileName, FileProgress } from './file-bits.tsx';
import { isPicture, isPictureHere } from './file-facts.ts';
import { usePreview } from './previews.ts';

/** Pictures are asked for when they are this close to what is in sight. */
const nearMargin = '400px 0px';

interface FilePartProps {
  readonly message: MessageView;
  readonly file: FileView;
  /** Whether this message is the one that takes the focus. */
  readonly focusable: boolean;
}

export function FilePart(props: FilePartProps) {
  return isPicture(props.file) ? <Picture {...props} /> : <Card {...props} />;
}

/** Only what went wrong is red: what ran out or was cancelled went as it was meant to. */
const failIcons: Readonly<Record<FileFailReason, LucideIcon>> = { cancelled: CircleSlash, expired: Hourglass, gone: CircleAlert, damaged: CircleAlert, unreadable: CircleAlert, 'taken-back': CircleSlash };

function Lines({ file, direction }: { readonly file: FileView; readonly direction: MessageView['direction'] }) {
  const reason = file.state.state === 'failed' ? file.state.reason : undefined;
  const isWrong = reason !== undefined && reason !== 'cancelled' && reason !== 'expired' && reason !== 'taken-back';
  const Icon = reason === undefined ? undefined : failIcons[reason];
  return fileLines(file, direction).map((line, index) => (
    <span key={index} className={`file-line numeric${isWrong && index > 0 ? ' file-line--failed' : ''}`}>
      {Icon === undefined || index === 0 ? null : <Icon size={16} strokeWidth={1.75} aria-hidden />}
      <span>{line}</span>
    </span>
  ));
}

function Card({ message, file, focusable }: FilePartProps) {
  return (
    <div className="file-card">
      <span className={`file-card__icon${file.state.state === 'ready' ? ' file-card__icon--here' : ''}`}><FileIcon name={file.name} mediaType={file.mediaType} /></span>
      <div className="file-card__facts">
        <FileName name={file.name} />
        <Lines file={file} direction={message.direction} />
      </div>
      <FileProgress file={file} direction={message.direction} />
      <FileActions message={message} file={file} focusable={focusable} />
    </div>
  );
}

/** True once the element has come near what is in sight, and from then on. */
function useNear(element: RefObject<HTMLElement | null>): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    const target = element.current;
    if (target === null || near) return;
    const observer = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) setNear(true); }, { root: target.closest('.messages'), rootMargin: nearMargin });
    observer.observe(target);
    return () => observer.disconnect();
  }, [element, near]);
  return near;
}

function Picture({ message, file, focusable }: FilePartProps) {
  const box = useRef<HTMLDivElement>(null);
  const near = useNear(box);
  const here = isPictureHere(file, message.direction);
  const preview = usePreview(message.id, here && near);
  const [broken, setBroken] = useState(false);
  const [small, setSmall] = useState(false);
  const shown = here && preview?.kind === 'shown' && !broken ? preview.dataUrl : undefined;
  const problem = broken ? 'This picture cannot be shown.' : preview?.kind === 'failed' ? preview.sentence : undefined;
  return (
    <div className="file-picture">
      <div className={`file-picture__box${shown === undefined ? ' file-picture__box--empty' : ''}`} ref={box} aria-busy={here && shown === undefined && problem === undefined}>
        {shown !== undefined ? (
          <button type="button" className="file-picture__open" tabIndex={focusable ? 0 : -1} aria-label={`Enlarge ${file.name}`} title={file.name} onClick={() => navigation.openImage(message.id)}>
            <img
              className={small ? 'file-picture__image file-picture__image--small' : 'file-picture__image'} src={shown} alt={file.name} draggable={false}
              onLoad={({ currentTarget: image }) => setSmall(image.naturalWidth < image.clientWidth && image.naturalHeight < image.clientHeight)} onError={() => setBroken(true)}
            />
          </button>
        ) : here && problem === undefined ? <span className="visually-hidden">{file.name}</span> : (
          <div className="file-picture__facts">
            <span className="file-picture__icon">{problem === undefined && file.state.state !== 'failed' ? <FileIcon name={file.name} mediaType={file.mediaType} /> : <ImageOff size={20} strokeWidth={1.75} aria-hidden />}</span>
            <FileName name={file.name} />
            {problem === undefined ? <Lines file={file} direction={message.direction} /> : <span className="file-line">{problem}</span>}
            {here ? null : <FileProgress file={file} direction={message.direction} />}
            <FileActions message={message} file={file} focusable={focusable} />
          </div>
        )}
      </div>
      {message.direction === 'out' && shown !== undefined ? (
        <div className="file-picture__below">
          <Lines file={file} direction="out" />
          <FileProgress file={file} direction="out" />
          <FileActions message={message} file={file} focusable={focusable} />
        </div>
      ) : null}
    </div>
  );
}
