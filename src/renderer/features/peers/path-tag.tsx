/** A path as a sign and two words; what it means for the person is in its tooltip. */
import { Cable, House, RadioTower, ShieldEllipsis, Spline, Unplug, Users, type LucideIcon } from 'lucide-react';
import { pathConsequence, pathWords } from '../../../shared/peer-sentences.ts';
import type { PeerPathKind } from '../../../shared/peer-views.ts';
import { Tooltip } from '../../ui/tooltip.tsx';

const icons: Readonly<Record<PeerPathKind, LucideIcon>> = { lan: House, direct: Cable, punched: Spline, friend: Users, relay: RadioTower, 'relay-tcp': ShieldEllipsis };

export function PathSign({ kind }: { readonly kind: PeerPathKind }) {
  const Icon = icons[kind];
  return <Icon className={`path-sign path-sign--${kind}`} size={16} strokeWidth={1.75} aria-hidden />;
}

export function PathTag({ kind, relayName }: { readonly kind: PeerPathKind; readonly relayName: string | undefined }) {
  return <Tooltip className="path-tag" text={pathConsequence(kind, relayName)}><PathSign kind={kind} /><span className="path-tag__words">{pathWords(kind, relayName)}</span></Tooltip>;
}

export function NoPathTag() {
  return (
    <Tooltip className="path-tag" text="There is no path to them at the moment. Messages go to their relays, which keep them until they are back.">
      <Unplug className="path-sign" size={16} strokeWidth={1.75} aria-hidden /><span className="path-tag__words">Not connected</span>
    </Tooltip>
  );
}
