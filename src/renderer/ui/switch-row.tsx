/** A setting that is on or off, with the sentence that explains it. */
import { Switch } from '@base-ui/react/switch';
import { useId } from 'react';

export function SwitchRow({ label, hint, checked, disabled = false, onChange }: { readonly label: string; readonly hint: string; readonly checked: boolean; readonly disabled?: boolean; readonly onChange: (checked: boolean) => void }) {
  const id = useId();
  return (
    <div className="switch-row">
      <div>
        <div id={id} className="field__label">{label}</div>
        <div id={`${id}-hint`} className="muted">{hint}</div>
      </div>
      <Switch.Root className="switch" aria-labelledby={id} aria-describedby={`${id}-hint`} checked={checked} disabled={disabled} onCheckedChange={onChange}>
        <Switch.Thumb className="switch__thumb" />
      </Switch.Root>
    </div>
  );
}

export function Segments<T extends string>({ legend, options, value, onChange }: { readonly legend: string; readonly options: readonly (readonly [T, string])[]; readonly value: T; readonly onChange: (value: T) => void }) {
  const name = useId();
  return (
    <fieldset className="row row--wrap" role="radiogroup" aria-label={legend}>
      <div className="segments">
        {options.map(([option, label]) => (
          <label key={option} className="segments__option">
            <input type="radio" name={name} checked={option === value} onChange={() => onChange(option)} />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
