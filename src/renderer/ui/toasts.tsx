/** Short notes at the bottom: read out politely, gone by themselves unless something failed. */
import { CircleAlert, CircleCheck, Info, TriangleAlert, X, type LucideIcon } from 'lucide-react';
import { useEffect } from 'react';
import type { Tone } from '../../shared/sentences.ts';
import { navigation, useNavigation, type Toast } from '../navigation.ts';
import { IconButton } from './button.tsx';

const lifeMs: Readonly<Record<Tone, number>> = { good: 5_000, muted: 5_000, warning: 10_000, danger: 15_000 };
const icons: Readonly<Record<Tone, LucideIcon>> = { good: CircleCheck, muted: Info, warning: TriangleAlert, danger: CircleAlert };

function ToastNote({ toast }: { readonly toast: Toast }) {
  useEffect(() => {
    const timer = setTimeout(() => navigation.dismissToast(toast.id), lifeMs[toast.tone]);
    return () => clearTimeout(timer);
  }, [toast.id, toast.tone]);
  const Icon = icons[toast.tone];
  return (
    <div className="toast">
      <Icon className={`toast__icon toast__icon--${toast.tone}`} size={16} strokeWidth={1.75} aria-hidden />
      <span className="toast__text">{toast.text}</span>
      <IconButton small label="Dismiss" icon={X} onClick={() => navigation.dismissToast(toast.id)} />
    </div>
  );
}

export function Toasts() {
  const toasts = useNavigation((state) => state.toasts);
  return (
    <div className="toasts" role="status" aria-label="Notes" aria-live="polite">
      {toasts.map((toast) => <ToastNote key={toast.id} toast={toast} />)}
    </div>
  );
}
