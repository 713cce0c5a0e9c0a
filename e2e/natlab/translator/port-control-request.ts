/** What both protocols of port control are asked, and how a mapping comes of it. */
import { portFirst } from './port-allocator.ts';
import type { ExplicitAnswer, ExplicitRequest, MappingTable } from './mapping-table.ts';

/** What an answer depends on besides the request. */
export interface Asked {
  readonly table: MappingTable;
  readonly publicAddress: string;
  /** Where the request came from. */
  readonly from: string;
  readonly nowMs: number;
  /** Since the device last lost its mappings. */
  readonly epochSeconds: number;
  readonly grantMaximumSeconds: number;
}

/** A privileged port cannot be had: any other will do, unless it has to be that one. */
export function openMapping(asked: Asked, request: ExplicitRequest): ExplicitAnswer {
  const isPrivileged = request.suggestedPort > 0 && request.suggestedPort < portFirst;
  if (isPrivileged && request.isExact) return { outcome: 'cannot-provide' };
  return asked.table.open(isPrivileged ? { ...request, suggestedPort: 0 } : request, asked.nowMs);
}
