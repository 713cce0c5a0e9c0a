/** A labelled control with its hint and its error, tied together for assistive technology. */
import { CircleAlert } from 'lucide-react';
import { useId, type ComponentProps, type ReactNode } from 'react';

interface FieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
}

interface Wiring {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': true | undefined;
}

function Field({ label, hint, error, children }: FieldProps & { readonly children: (wiring: Wiring) => ReactNode }) {
  const id = useId();
  const describedBy = [hint === undefined ? '' : `${id}-hint`, error === undefined ? '' : `${id}-error`].filter((part) => part !== '').join(' ');
  return (
    <div className="field">
      <label className="field__label" htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': describedBy === '' ? undefined : describedBy, 'aria-invalid': error === undefined ? undefined : true })}
      {hint === undefined ? null : <div className="field__hint" id={`${id}-hint`}>{hint}</div>}
      <div id={`${id}-error`} aria-live="polite">
        {error === undefined ? null : <div className="field__error"><CircleAlert size={16} strokeWidth={1.75} aria-hidden />{error}</div>}
      </div>
    </div>
  );
}

export function TextField({ label, hint, error, ...rest }: FieldProps & Omit<ComponentProps<'input'>, 'className' | 'id'>) {
  return <Field label={label} hint={hint} error={error}>{(wiring) => <input {...rest} {...wiring} className="input" />}</Field>;
}

export function TextArea({ label, hint, error, ...rest }: FieldProps & Omit<ComponentProps<'textarea'>, 'className' | 'id'>) {
  return <Field label={label} hint={hint} error={error}>{(wiring) => <textarea {...rest} {...wiring} className="input" />}</Field>;
}
