import { describe, expect, it } from 'vitest';
import type { ConnectionView } from '../../../shared/views.ts';
import { settleDelayMs, settleMs } from './settle.ts';

const connection = (kind: ConnectionView['kind'], waitingMessages = 0): ConnectionView => ({ kind, relaysConnected: 1, relaysConfigured: 2, waitingMessages });

describe('the connection line', () => {
  it('waits with bad news', () => {
    expect(settleDelayMs(connection('online'), connection('offline'))).toBe(settleMs);
    expect(settleDelayMs(connection('online'), connection('degraded'))).toBe(settleMs);
  });
  it('tells good news at once', () => {
    expect(settleDelayMs(connection('offline'), connection('online'))).toBe(0);
  });
  it('keeps numbers current while the kind stays', () => {
    expect(settleDelayMs(connection('offline', 1), connection('offline', 2))).toBe(0);
  });
});
