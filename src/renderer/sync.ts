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
/** Between attempts to hear from the main process: a stale window must not stay stale. */
const retryDelayMs = 1_000;

export interface Sync {
  readonly setAccount: (account: AccountView) => void;
  readonly loadNewest: (conversationId: string) => Promise<void>;
  readonly loadOlder: (conversationId: string) => Promise<void>;
  readonly stop: () => void;
}

const sentenceOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : 'Waypost does not answer.');

export function startSync(client: Client, store: AppStore): Sync {
  let waiting: Patch[] = [];
  let snapshotUnderWay = false;
  const loadingOlder = new Set<string>();
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  const again = (thrown: unknown, action: () => void): void => {
    store.setState({ broken: sentenceOf(thrown) });
    clearTimeout(retryTimer);
    retryTimer = setTimeout(action, retryDelayMs);
  };

  const setLive = (live: LiveState): void => {
    store.setState({ live });
  };

  function receive(patch: Patch): void {
    if (snapshotUnderWay) {
      waiting.push(patch);
      return;
    }
    const { live } = store.getState();
    // Without a state there is nothing to change; the snapshot that comes has this patch in it.
    if (live === undefined) return;
    const result = applyPatch(live, patch);
    if (result.kind === 'applied') setLive(result.state);
    if (result.kind === 'gap') void resync();
  }

  async function takeSnapshot(): Promise<boolean> {
    snapshotUnderWay = true;
    try {
      const { sequence, view } = await client.state.snapshot();
      store.setState({ live: { sequence, view, pages: store.getState().live?.pages ?? {} }, broken: undefined });
      return true;
    } catch (thrown) {
      again(thrown, () => void resync());
      return false;
    } finally {
      snapshotUnderWay = false;
    }
  }

  async function resync(): Promise<void> {
    if (snapshotUnderWay || !(await takeSnapshot())) return;
    const held = waiting;
    waiting = [];
    for (const patch of held) receive(patch);
    try {
      const pages = store.getState().live?.pages ?? {};
      await Promise.all(Object.entries(pages).map(([conversationId, page]) => refresh(conversationId, page.messages.length)));
    } catch (thrown) {
      again(thrown, () => void resync());
    }
  }

  function setAccount(account: AccountView): void {
    store.setState({ account, broken: undefined });
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
  const askAccount = (): void => {
    client.account.status().then(setAccount, (thrown: unknown) => again(thrown, askAccount));
  };
  askAccount();
  return { setAccount, loadNewest, loadOlder, stop: () => {
    clearTimeout(retryTimer);
    for (const unsubscribe of unsubscribes) unsubscribe();
  } };
}
