/** What a screen says when there is nothing in it: what it is for, and the next thing to do. Its title is a heading, one level below what it stands in. */
import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

export function EmptyState({ icon: Icon, title, text, level = 2, children }: { readonly icon: LucideIcon; readonly title: string; readonly text: string; readonly level?: 1 | 2 | 3; readonly children?: ReactNode }) {
  const Heading = `h${level}` as const;
  return (
    <div className="empty">
      <Icon className="empty__icon" size={32} strokeWidth={1.5} aria-hidden />
      <Heading className="empty__title">{title}</Heading>
      <p className="empty__text">{text}</p>
      {children === undefined ? null : <div className="empty__actions">{children}</div>}
    </div>
  );
}
