import { describe, expect, it, vi } from 'vitest';
import { createClient } from '../shared/transport.ts';
import { createDouble, type Double } from './dev/double.ts';
import { createAppStore, type AppStore } from './store.ts';
import { startSync } from './sync.ts';
import { initialSettings } from '../shared/views.ts';

function connect(scenario: string): { double: Double; store: AppStore; sync: ReturnType<typeof startSync>; snapshots: () => number } {
  const double = createDouble(scenario);
  const store = createAppStore();
  let snapshots = 0;
  const sync = startSync(createClient({ ...double.pipe, invoke: (path, argument) => {
    if (path === 'state.snapshot') snapshots += 1;
    return double.pipe.invoke(path, argument);
  } }), store);
  return { double, store, sync, snapshots: () => snapshots };
}
const notices = (store: AppStore): readonly string[] | undefined => store.getState().live?.view.notices;

describe('following the state', () => {
  it('loads a snapshot and then follows the patches', async () => {
    const { double, store } = connect('full');
    await vi.waitFor(() => expect(store.getState().live).toBeDefined());
    double.change([{ kind: 'notices', value: ['TCP instead of UDP'] }]);
    expect(notices(store)).toEqual(['TCP instead of UDP']);
  });
  it('asks again after a gap and ends with the same truth', async () => {
    const { double, store, snapshots } = connect('full');
    await vi.waitFor(() => expect(store.getState().live).toBeDefined());
    double.loseNextPatch();
    double.change([{ kind: 'notices', value: ['lost'] }]);
    double.change([{ kind: 'settings', value: { ...initialSettings, readReceipts: false, theme: 'dark' } }]);
    await vi.waitFor(() => expect(notices(store)).toEqual(['lost']));
    expect(store.getState().live?.view.settings.theme).toBe('dark');
    expect(snapshots()).toBe(2);
  });
  it('keeps open conversations loaded across a resync', async () => {
    const { double, store, sync } = connect('full');
    await vi.waitFor(() => expect(store.getState().live).toBeDefined());
    const id = store.getState().live?.view.conversations[0]?.id ?? '';
    await sync.loadNewest(id);
    const count = store.getState().live?.pages[id]?.messages.length;
    expect(count).toBeGreaterThan(0);
    double.loseNextPatch();
    double.change([{ kind: 'notices', value: ['one'] }]);
    double.change([{ kind: 'notices', value: ['two'] }]);
    await vi.waitFor(() => {
      expect(notices(store)).toEqual(['two']);
      expect(store.getState().live?.pages[id]?.messages.length).toBe(count);
    });
  });
  it('loads older pages once, however often it is asked at a time', async () => {
    const { store, sync } = connect('long');
    await vi.waitFor(() => expect(store.getState().live).toBeDefined());
    const id = store.getState().live?.view.conversations[0]?.id ?? '';
    await sync.loadNewest(id);
    await Promise.all([sync.loadOlder(id), sync.loadOlder(id)]);
    expect(store.getState().live?.pages[id]?.messages.length).toBe(100);
  });
  it('tries again when the snapshot cannot be had', async () => {
    vi.useFakeTimers();
    try {
      const double = createDouble('full');
      const store = createAppStore();
      let failures = 2;
      startSync(createClient({ ...double.pipe, invoke: async (path, argument) => {
        if (path === 'state.snapshot' && failures-- > 0) return { ok: false, error: { code: 'timeout', message: 'Waypost does not answer yet.' } };
        return double.pipe.invoke(path, argument);
      } }), store);
      await vi.advanceTimersByTimeAsync(0);
      expect(store.getState().broken).toBe('Waypost does not answer yet.');
      await vi.advanceTimersByTimeAsync(2_000);
      expect(store.getState().live).toBeDefined();
      expect(store.getState().broken).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });
  it('shows nothing of a locked account and everything after the passphrase', async () => {
    const { store, double } = connect('locked');
    await vi.waitFor(() => expect(store.getState().account?.phase).toBe('locked'));
    expect(store.getState().live).toBeUndefined();
    await double.pipe.invoke('account.unlock', { passphrase: 'open' });
    await vi.waitFor(() => expect(store.getState().live).toBeDefined());
  });
});
