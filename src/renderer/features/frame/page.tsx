/** A place that is one page: its title, what it is for, its actions, its content. */
import type { ReactNode } from 'react';

export function Page({ title, lead, actions, busy = false, children }: { readonly title: string; readonly lead?: string; readonly actions?: ReactNode; readonly busy?: boolean; readonly children?: ReactNode }) {
  return (
    <main className="page" data-pane="page" aria-label={title} aria-busy={busy}>
      <header className="page__header">
        <h1>{title}</h1>
        {actions}
        {lead === undefined ? null : <p className="page__lead">{lead}</p>}
      </header>
      {children}
    </main>
  );
}
