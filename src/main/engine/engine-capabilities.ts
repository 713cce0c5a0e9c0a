/** What this side can do, told in every handshake. A word that the other side does not know is passed over; one that is missing switches off exactly what it names. */
import { fileHeldMaximumBytes } from '../../shared/file-views.ts';
import { heldCapability } from './files/held-limits.ts';
import { circuitsCapability, guessCapability, resolveCapability } from './overlay/capabilities.ts';
import { tcpCapability } from './overlay/tcp-ports.ts';
import { observeCapability, passCapability, secondPortCapability } from './path/observing.ts';
import { beatCapability } from './session/constants.ts';
import type { StartArguments } from './engine-types.ts';

const ofVisors = ['waypost/1', 'letters', guessCapability];
const ofRelays = ['store', 'ack', 'status', 'records', observeCapability, passCapability, circuitsCapability, resolveCapability, beatCapability];

export function capabilitiesOf({ configuration: { relay }, secondPort, tcpPort }: Pick<StartArguments, 'configuration' | 'secondPort' | 'tcpPort'>): readonly string[] {
  if (relay === undefined) return ofVisors;
  return [
    ...ofVisors, ...ofRelays, heldCapability(relay.heldPerRecipientBytes ?? fileHeldMaximumBytes),
    ...(secondPort === undefined ? [] : [secondPortCapability]), ...(tcpPort === undefined ? [] : [tcpCapability(tcpPort)]),
  ];
}
