/**
 * Keeps the store true: asks for the account, then for a snapshot, then follows the numbered patches. Patches that come while a snapshot
 * is under way wait for it; a gap, and a new account, ask for a new snapshot. Loaded pages stay on screen during a
 * resync and are fetched again.
 */
import type { AccountView, Client } from '../shared/contract.ts';
import type { Patch } from '../shared/views.ts';
import { applyPatch, prependPage, type LiveState } from './state.ts';
import type { AppStore } from './store.ts';

/** Messages asked for at a time: two screens of short ones. */
const pageSize = 50;
/** The most the contract lets us ask for at once. */
const pageMaximum = 200;

export interface Sync {
  setAccount(account: AccountView): void;
  loadNewest(conversationId: string): Promise<void>;
  loadOlder(conversationId: string): Promise<void>;
  stop(): void;
}

const sentenceOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : 'Waypost does not answer.');

export function startSync(client: Client, store: AppStore): Sync {
  let waiting: Patch[] = [];
  let snapshotUnderWay = false;
  const loadingOlder = new Set<string>();

  const setLive = (live: LiveState): void => {
    store.setState({ live });
  };

  function receive(patch: Patch): void {
    const { live } = store.getState();
    if (live === undefined || snapshotUnderWay) {
      waiting.push(patch);
      return;
    }
    const result = applyPatch(live, patch);
    if (result.kind === 'applied') setLive(result.state);
    if (result.kind === 'gap') void resync();
  }

  async function resync(): Promise<void> {
    if (snapshotUnderWay) return;
    snapshotUnderWay = true;
    try {
      const { sequence, view } = await client.state.snapshot();
      const pages = store.getState().live?.pages ?? {};
      setLive({ sequence, view, pages });
      snapshotUnderWay = false;
      const held = waiting;
      waiting = [];
      for (const patch of held) receive(patch);
      await Promise.all(Object.entries(pages).map(([conversationId, page]) => refresh(conversationId, page.messages.length)));
    } catch (thrown) {
      store.setState({ broken: sentenceOf(thrown) });
    } finally {
      snapshotUnderWay = false;
    }
  }

  function setAccount(account: AccountView): void {
    store.setState({ account });
    if (account.phase !== 'ready') store.setState({ live: undefined });
    else if (store.getState().live === undefined) void resync();
  }

  async function loadPage(conversationId: string, beforeRow: number | undefined): Promise<void> {
    const older = await client.messages.page({ conversationId, limit: pageSize, ...(beforeRow === undefined ? {} : { beforeRow }) });
    const { live } = store.getState();
    if (live === undefined) return;
    setLive({ ...live, pages: { ...live.pages, [conversationId]: prependPage(live.pages[conversationId], older) } });
  }

  /** After a gap the states of loaded messages may be old: what is on screen stays until the same stretch has been fetched again. */
  async function refresh(conversationId: string, count: number): Promise<void> {
    const page = await client.messages.page({ conversationId, limit: Math.min(pageMaximum, Math.max(pageSize, count)) });
    const { live } = store.getState();
    if (live !== undefined) setLive({ ...live, pages: { ...live.pages, [conversationId]: page } });
  }

  async function loadNewest(conversationId: string): Promise<void> {
    if (store.getState().live?.pages[conversationId] === undefined) await loadPage(conversationId, undefined);
  }

  async function loadOlder(conversationId: string): Promise<void> {
    const page = store.getState().live?.pages[conversationId];
    const oldest = page?.messages[0];
    if (page?.more !== true || oldest === undefined || loadingOlder.has(conversationId)) return;
    loadingOlder.add(conversationId);
    try {
      await loadPage(conversationId, oldest.row);
    } finally {
      loadingOlder.delete(conversationId);
    }
  }

  const unsubscribes = [client.state.onPatch(receive), client.account.onChanged(setAccount)];
  client.account.status().then(setAccount, (thrown: unknown) => {
    store.setState({ broken: sentenceOf(thrown) });
  });
  return { setAccount, loadNewest, loadOlder, stop: () => { for (const unsubscribe of unsubscribes) unsubscribe(); } };
}
