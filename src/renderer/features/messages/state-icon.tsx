/** The icon of a message state. Shapes differ, so that no state depends on its colour. */
import { CheckCheck, CircleAlert, CircleSlash, Clock, Hourglass, MailCheck } from 'lucide-react';
import type { Headline } from '../../../shared/views.ts';

const common = { size: 16, strokeWidth: 1.75, 'aria-hidden': true } as const;

export function StateIcon({ headline }: { readonly headline: Headline }) {
  switch (headline.state) {
    case 'queued': return <Clock {...common} className="state state--muted" />;
    case 'sending': return <SendingIcon />;
    case 'stored': return <MailCheck {...common} className="state state--muted" />;
    case 'delivered': return <CheckCheck {...common} className="state state--accent" />;
    case 'read': return <ReadIcon />;
    case 'failed': return <CircleAlert {...common} className="state state--danger" />;
    case 'expired':
    case 'unconfirmed': return <Hourglass {...common} className="state state--muted" />;
    case 'cancelled': return <CircleSlash {...common} className="state state--muted" />;
    case 'received': return null;
  }
}

/** A clock whose hand moves; it stands still when motion is reduced. */
function SendingIcon() {
  return (
    <svg className="state state--muted" width="16" height="16" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.75" strokeLinecap="round" aria-hidden>
      <circle cx="12" cy="12" r="10" />
      <path className="state__hand" d="M12 12V6" />
    </svg>
  );
}

/** Two checks cut out of a filled shape. */
function ReadIcon() {
  return (
    <svg className="state state--accent" width="20" height="16" viewBox="0 0 30 24" aria-hidden>
      <rect width="30" height="24" rx="12" fill="currentColor" />
      <path className="state__cut" d="M6 12.5l4 4 8-9M15 15.5l1.2 1 8-9" fill="none" strokeWidth="2.4" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
