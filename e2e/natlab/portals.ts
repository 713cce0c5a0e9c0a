/** Starts and ends the page of a captive portal, and opens the network without it. */
import path from 'node:path';
import { Companion } from './companion.ts';
import { openForHost } from './nat-rules.ts';
import { loadRules } from './system.ts';
import { uplinkAddress, type HostNode, type RouterNode } from './model.ts';
import { misuse } from './usage-error.ts';
import type { Places } from './record.ts';
import type { PortalConfiguration } from './portal.ts';

const program = path.join(import.meta.dirname, 'portal.ts');

/** After a change of the router's kind. Its rules are in place. */
export async function applyPortal(places: Places, router: RouterNode): Promise<void> {
  const portal = new Companion(places, places.namespaceOf(router.name), program, `portal-${router.id}`);
  const isWanted = router.kind === 'captive-portal';
  if (isWanted && !portal.isRunning) {
    portal.write({ gateway: `${router.lan}.1` } satisfies PortalConfiguration);
    await portal.start();
  } else if (!isWanted) portal.end();
}

/** As if the host had accepted. @throws UsageError for another kind of router. */
export function openPortal(places: Places, router: RouterNode, host: HostNode): void {
  if (router.kind !== 'captive-portal') misuse(`'${router.name}' has no captive portal`);
  loadRules(places.namespaceOf(router.name), openForHost(uplinkAddress(host)));
}
