/** How it stands with finding friends in the local network, as people read it. */
import { countOf } from './quantities.ts';
import type { LanView } from './views.ts';

export function lanSentence({ state, foundContacts }: LanView): string {
  switch (state) {
    case 'on': return foundContacts === 0 ? 'Friends are looked for in this network. None was seen in it lately.' : `Friends are looked for in this network. ${countOf(foundContacts, 'friend was', 'friends were')} seen in it lately.`;
    case 'off': return 'Friends are not looked for in local networks: the settings say so.';
    case 'untrusted': return 'Friends are not looked for in this network, because you do not trust it.';
    case 'no-network': return 'This computer is in no network in which others could be.';
    case 'not-here': return 'This Waypost is a relay too, and does not look for friends in local networks.';
  }
}

/** What somebody can do about it: `undefined` where marking the network changes nothing. */
export function lanAction({ state }: LanView): { readonly trusted: boolean; readonly label: string } | undefined {
  if (state === 'on') return { trusted: false, label: 'Do not trust this network' };
  return state === 'untrusted' ? { trusted: true, label: 'Trust this network' } : undefined;
}
