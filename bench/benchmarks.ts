/** All benchmarks by name; each measures once and returns its figures. */
import { handshakeRates } from './handshakes.ts';
import { sessionMemory } from './session-memory.ts';
import { largeFile } from './large-file.ts';
import { letterDelivery } from './letter-delivery.ts';
import { lockstepRates } from './lockstep.ts';
import { storeRate } from './store-rate.ts';
import { reconnect } from './reconnect.ts';
import { mainThreadDelay } from './main-thread-delay.ts';
import { firstPaint } from './first-paint.ts';
import { independence } from './independence.ts';
import { lettersBesideBulk } from './letters-beside-bulk.ts';
import { uiDuringTransfer } from './ui-during-transfer.ts';
import { idleTraffic } from './idle-traffic.ts';
import { relayRestart } from './relay-restart.ts';
import type { Figure } from './run.ts';

export const benchmarks: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  'handshakes': handshakeRates,
  'session-memory': sessionMemory,
  'lockstep': lockstepRates,
  'large-file': largeFile,
  'store-rate': storeRate,
  'letter-delivery': letterDelivery,
  'reconnect': reconnect,
  'main-thread-delay': mainThreadDelay,
  'first-paint': firstPaint,
  'idle-traffic': idleTraffic,
  'relay-restart': relayRestart,
  'independence': independence,
  'letters-beside-bulk': lettersBesideBulk,
  'ui-during-transfer': uiDuringTransfer,
};
