/** Takes a QR code from a picture file or from a picture on the clipboard. */
import { ClipboardPaste, ImageUp } from 'lucide-react';
import { useEffect, useEffectEvent, useRef } from 'react';
import { Button } from './button.tsx';
import type { QrResult } from './read-qr.ts';

interface QrPickerProps {
  readonly onText: (text: string) => void;
  readonly onProblem: (sentence: string) => void;
}

const pictureIn = (files: Iterable<File>): File | undefined => [...files].find((file) => file.type.startsWith('image/'));

/** The reader is by far the largest part of this window and needed by few, so it is fetched when there is a picture. */
async function read(picture: Blob): Promise<QrResult> {
  try {
    const { readQr } = await import('./read-qr.ts');
    return await readQr(picture);
  } catch {
    return { ok: false, sentence: 'Pictures cannot be read in this window. Paste the link instead.' };
  }
}

export function QrPicker({ onText, onProblem }: QrPickerProps) {
  const input = useRef<HTMLInputElement>(null);

  const take = useEffectEvent(async (picture: Blob) => {
    const result = await read(picture);
    if (result.ok) onText(result.text);
    else onProblem(result.sentence);
  });
  useEffect(() => {
    const onPaste = (event: ClipboardEvent): void => {
      const picture = pictureIn(event.clipboardData?.files ?? []);
      if (picture === undefined) return;
      event.preventDefault();
      void take(picture);
    };
    document.addEventListener('paste', onPaste);
    return () => document.removeEventListener('paste', onPaste);
  }, []);

  return (
    <div className="row row--wrap">
      <Button icon={ImageUp} onClick={() => input.current?.click()}>Picture of a QR code</Button>
      <span className="muted row"><ClipboardPaste size={16} strokeWidth={1.75} aria-hidden />or paste a picture here</span>
      <input
        ref={input} type="file" accept="image/*" hidden aria-label="Picture of a QR code"
        onChange={(event) => {
          const picture = event.target.files?.[0];
          event.target.value = '';
          if (picture !== undefined) void read(picture).then((result) => { if (result.ok) onText(result.text); else onProblem(result.sentence); });
        }}
      />
    </div>
  );
}
