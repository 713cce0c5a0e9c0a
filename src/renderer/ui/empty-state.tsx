/** What a screen says when there is nothing in it: what it is for, and the next thing to do. */
import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

export function EmptyState({ icon: Icon, title, text, children }: { readonly icon: LucideIcon; readonly title: string; readonly text: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <Icon className="empty__icon" size={32} strokeWidth={1.5} aria-hidden />
      <p className="empty__title">{title}</p>
      <p className="empty__text">{text}</p>
      {children === undefined ? null : <div className="empty__actions">{children}</div>}
    </div>
  );
}
