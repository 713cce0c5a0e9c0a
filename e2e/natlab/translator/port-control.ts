/**
 * What a NAT device answers on its port 5351: PCP (port-control-pcp.ts) and NAT-PMP (port-control-nat-pmp.ts), told apart by the first byte as both standards say. Each
 * can be off, and then the other tells the asker so in the way it understands. Only UDP is mapped: the device's TCP is the kernel's.
 */
import { answerNatPmp, natPmpUnsupportedVersion, natPmpVersion } from './port-control-nat-pmp.ts';
import { answerPcp, pcpUnsupportedVersion, pcpVersion } from './port-control-pcp.ts';
import type { PortControl } from './policy.ts';
import type { Asked } from './port-control-request.ts';

export const portControlPort = 5_351;

/** Undefined: no answer. */
export function answerPortControl(request: Uint8Array, offered: PortControl, asked: Asked): Uint8Array | undefined {
  const [version, operation] = request;
  if (offered === 'off' || version === undefined || operation === undefined || (operation & 0x80) !== 0) return undefined;
  const hasPcp = offered !== 'nat-pmp';
  const hasNatPmp = offered !== 'pcp';
  if (version === natPmpVersion && hasNatPmp) return answerNatPmp(request, asked);
  if (version === pcpVersion && hasPcp) return answerPcp(request, asked);
  return hasPcp ? pcpUnsupportedVersion(request, asked) : natPmpUnsupportedVersion(request, asked);
}
