/** The panel at the right: takes the focus when it opens; Escape or its button close it and give the focus back. */
import { X } from 'lucide-react';
import { useEffect, useRef, type ReactNode } from 'react';
import { IconButton } from './button.tsx';

/** Known here, because a drawer is shown before what is in it has been fetched. */
export const hopDrawerTitle = 'Where this message is';
export const contactDrawerTitle = 'Contact details';

export function Drawer({ title, onClose, children }: { readonly title: string; readonly onClose: () => void; readonly children?: ReactNode }) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => panel.current?.focus(), []);
  return (
    <aside className="drawer" data-pane="drawer" aria-label={title} tabIndex={-1} ref={panel}>
      <header className="drawer__header">
        <h2>{title}</h2>
        <IconButton icon={X} label="Close details" onClick={onClose} />
      </header>
      <div className="drawer__body" tabIndex={0} role="group" aria-label={title}>{children}</div>
    </aside>
  );
}
