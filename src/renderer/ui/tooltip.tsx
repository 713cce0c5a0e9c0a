/** Explains a word or a sign: shown on hover, on focus and on a click, closed with Escape, and read out as the description of what it belongs to. */
import { useEffect, useId, useRef, type ReactNode } from 'react';

/** Long enough for the pointer to get from the word into the text. */
const leaveMs = 150;

export function Tooltip({ text, className, children }: { readonly text: string; readonly className?: string; readonly children: ReactNode }) {
  const id = useId();
  const trigger = useRef<HTMLButtonElement>(null);
  const tip = useRef<HTMLSpanElement>(null);
  const leaving = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(leaving.current), []);
  const show = (): void => {
    clearTimeout(leaving.current);
    const source = trigger.current;
    if (source !== null && tip.current?.matches(':popover-open') === false) tip.current.showPopover({ source });
  };
  const hide = (): void => {
    clearTimeout(leaving.current);
    if (tip.current?.matches(':popover-open') === true) tip.current.hidePopover();
  };
  const leave = (): void => {
    clearTimeout(leaving.current);
    leaving.current = setTimeout(() => { if (document.activeElement !== trigger.current) hide(); }, leaveMs);
  };
  return (
    <span className="tip" onPointerEnter={show} onPointerLeave={leave}>
      <button type="button" ref={trigger} className={`tip__trigger${className === undefined ? '' : ` ${className}`}`} aria-describedby={id} onFocus={show} onBlur={hide} onClick={show} onKeyDown={(event) => { if (event.key === 'Escape') hide(); }}>{children}</button>
      <span popover="manual" role="tooltip" id={id} ref={tip} className="tip__text">{text}</span>
    </span>
  );
}
