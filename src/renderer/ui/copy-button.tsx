/** Puts a text on the clipboard and says so. */
import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { navigation } from '../navigation.ts';
import { Button, IconButton } from './button.tsx';

const confirmationMs = 2_000;

export function CopyButton({ text, label, iconOnly = false, primary = false }: { readonly text: string; readonly label: string; readonly iconOnly?: boolean; readonly primary?: boolean }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), confirmationMs);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(() => setCopied(true), () => navigation.toast('danger', 'The clipboard did not accept the text. Select it and copy it by hand.'));
  };
  return (
    <>
      {iconOnly
        ? <IconButton small icon={copied ? Check : Copy} label={label} onClick={copy} />
        : <Button variant={primary ? 'primary' : 'secondary'} icon={copied ? Check : Copy} onClick={copy}>{copied ? 'Copied' : label}</Button>}
      <span className="visually-hidden" role="status">{copied ? 'Copied' : ''}</span>
    </>
  );
}
