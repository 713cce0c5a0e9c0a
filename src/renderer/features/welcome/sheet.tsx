/** The centred column of the screens before the frame. */
import { Waypoints } from 'lucide-react';
import type { ReactNode } from 'react';

export function Sheet({ title, text, wide = false, children }: { readonly title: string; readonly text?: string; readonly wide?: boolean; readonly children?: ReactNode }) {
  return (
    <main className="screen" data-pane="page">
      <div className={`sheet${wide ? ' sheet--words' : ''}`}>
        <div className="sheet__brand"><Waypoints size={24} strokeWidth={1.75} aria-hidden />Waypost</div>
        <div>
          <h1 className="sheet__lead">{title}</h1>
          {text === undefined ? null : <p className="sheet__text">{text}</p>}
        </div>
        {children}
      </div>
    </main>
  );
}
