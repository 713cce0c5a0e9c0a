/** The whole conversation takes files: dropped on it, or pasted anywhere in it. While something is dragged over it, it says what a drop does. */
import { FileUp } from 'lucide-react';
import { useRef, useState, type ClipboardEvent, type DragEvent } from 'react';
import { useServices } from '../../services.tsx';
import { attach } from './attachments.ts';

/** After files came or went, the next key belongs to the text. */
export const focusComposer = (): void => document.querySelector<HTMLElement>('[data-pane=composer] textarea')?.focus();

const carriesFiles = (event: DragEvent): boolean => event.dataTransfer.types.includes('Files');

/** Office programs put a picture of the text beside the text: then the text is meant. Copied files may come with their names as plain text. */
function pastedFiles(data: DataTransfer): readonly File[] {
  const isText = data.types.includes('text/plain') && (data.types.includes('text/html') || data.types.includes('text/rtf'));
  return isText ? [] : [...data.files];
}

export function useFileDrop(conversationId: string, enabled: boolean) {
  const { files } = useServices();
  const [over, setOver] = useState(false);
  // Enter and leave come for every element on the way: only their balance says whether the pointer is inside.
  const depth = useRef(0);
  const end = (): void => {
    depth.current = 0;
    setOver(false);
  };
  const handlers = !enabled ? {} : {
    onDragEnter: (event: DragEvent): void => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth.current += 1;
      setOver(true);
    },
    onDragOver: (event: DragEvent): void => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
    },
    onDragLeave: (event: DragEvent): void => {
      if (!carriesFiles(event)) return;
      depth.current -= 1;
      if (depth.current <= 0) end();
    },
    onDrop: (event: DragEvent): void => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      end();
      void attach(conversationId, files, [...event.dataTransfer.files]).then(focusComposer);
    },
    onPaste: (event: ClipboardEvent): void => {
      const pasted = pastedFiles(event.clipboardData);
      if (pasted.length === 0) return;
      event.preventDefault();
      void attach(conversationId, files, pasted);
    },
  };
  return { over: over && enabled, handlers };
}

export function DropTarget({ name }: { readonly name: string }) {
  return (
    <div className="drop" role="status">
      <div className="drop__box">
        <FileUp size={20} strokeWidth={1.75} aria-hidden />
        <strong>Drop to attach for {name}</strong>
        <span>Nothing is sent before you press Send. Several files become several messages, in this order.</span>
      </div>
    </div>
  );
}
