/** Downgrades in force and other things worth knowing, as the main process words them. */
import { TriangleAlert } from 'lucide-react';
import { useView } from '../../store.ts';
import './network.css';

export function Notices() {
  const notices = useView((view) => view.notices);
  if (notices.length === 0) return null;
  return <ul className="stack stack--tight" aria-label="Notices">{notices.map((notice) => <li key={notice} className="notice"><TriangleAlert size={16} strokeWidth={1.75} aria-hidden /><span>{notice}</span></li>)}</ul>;
}
