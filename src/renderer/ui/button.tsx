/** Buttons: with words, or with an icon whose words are its accessible name and tooltip. */
import type { LucideIcon } from 'lucide-react';
import type { ComponentProps } from 'react';

interface ButtonProps extends Omit<ComponentProps<'button'>, 'className'> {
  readonly variant?: 'primary' | 'secondary' | 'quiet' | 'danger';
  readonly size?: 'small' | 'normal' | 'large';
  readonly icon?: LucideIcon;
}

export function Button({ variant = 'secondary', size = 'normal', icon: Icon, children, type = 'button', ...rest }: ButtonProps) {
  return (
    <button {...rest} type={type} className={`button button--${variant} button--${size}`}>
      {Icon === undefined ? null : <Icon size={16} strokeWidth={1.75} aria-hidden />}
      {children}
    </button>
  );
}

interface IconButtonProps extends Omit<ComponentProps<'button'>, 'className' | 'children'> {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly small?: boolean;
}

export function IconButton({ label, icon: Icon, small = false, type = 'button', ...rest }: IconButtonProps) {
  return (
    <button {...rest} type={type} aria-label={label} title={rest.title ?? label} className={`icon-button${small ? ' icon-button--small' : ''}`}>
      <Icon size={small ? 16 : 20} strokeWidth={1.75} aria-hidden />
    </button>
  );
}
