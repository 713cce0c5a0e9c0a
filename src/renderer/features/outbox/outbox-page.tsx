/** All that is not delivered yet: where it is, why, when the next try comes, and what can be done. */
import { CircleX, Inbox, RotateCw } from 'lucide-react';
import { countOf, durationWords, exactWords, sizeWords } from '../../../shared/quantities.ts';
import { headlineSentence, headlineWords, waitReasonSentence } from '../../../shared/sentences.ts';
import type { OutboxItemView } from '../../../shared/views.ts';
import { navigation } from '../../navigation.ts';
import { useServices } from '../../services.tsx';
import { useView } from '../../store.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Countdown } from '../../ui/time.tsx';
import { useNow } from '../../ui/use-now.ts';
import { Page } from '../frame/page.tsx';
import { StateIcon } from '../messages/state-icon.tsx';
import { laneHeads } from './lanes.ts';
import './outbox.css';

const kinds: Readonly<Record<OutboxItemView['kind'], string>> = { message: 'Message', introduction: 'Introduction', receipt: 'Receipt' };

function State({ item, blocks }: { readonly item: OutboxItemView; readonly blocks: boolean }) {
  const nowMs = useNow();
  const reason = item.headline.state === 'stored' || item.lastReason === undefined ? '' : waitReasonSentence(item.lastReason);
  return (
    <div title={headlineSentence(item.headline, nowMs)}>
      <span className="outbox__state"><StateIcon headline={item.headline} /><span className="truncate">{headlineWords(item.headline, nowMs)}{blocks ? '; later ones wait behind it' : ''}</span></span>
      {reason === '' ? null : <span className="outbox__reason" title={reason}>{reason}</span>}
    </div>
  );
}

function Expiry({ atMs }: { readonly atMs: number }) {
  return <time className="time" dateTime={new Date(atMs).toISOString()} title={exactWords(atMs)}>in {durationWords(atMs - useNow(60_000))}</time>;
}

function Actions({ item }: { readonly item: OutboxItemView }) {
  const { client, run } = useServices();
  const { messageId } = item;
  return (
    <div className="outbox__actions">
      <IconButton small icon={RotateCw} label="Retry now" aria-label={`Retry now: ${item.summary}`} onClick={() => { void run(() => client.messages.retry({ messageId })); }} />
      <IconButton small icon={CircleX} label="Cancel" aria-label={`Cancel: ${item.summary}`} onClick={() => { void run(() => client.messages.cancel({ messageId })); }} />
    </div>
  );
}

function columnsFor(heads: ReadonlySet<string>): readonly Column<OutboxItemView>[] {
  return [
    { id: 'to', title: 'To', width: 132, sortBy: (item) => item.toName, cell: (item) => <button type="button" className="link-button truncate" title={`Open the conversation with ${item.toName}`} onClick={() => navigation.openConversation(item.conversationId)}>{item.toName}</button> },
    { id: 'what', title: 'What', width: 140, grow: true, sortBy: (item) => item.summary, cell: (item) => <span className="outbox__what" title={item.summary}><span>{item.kind === 'message' ? item.summary : kinds[item.kind]}</span>{item.kind === 'message' ? null : <span className="muted">Waypost sends this by itself</span>}</span> },
    { id: 'state', title: 'Where it is', width: 220, grow: true, sortBy: (item) => item.headline.state, cell: (item) => <State item={item} blocks={heads.has(item.messageId)} /> },
    { id: 'next', title: 'Next try', width: 86, sortBy: (item) => item.nextTryAtMs ?? Number.MAX_SAFE_INTEGER, cell: (item) => (item.nextTryAtMs === undefined ? <span className="muted time">none due</span> : <Countdown atMs={item.nextTryAtMs} />) },
    { id: 'tries', title: 'Tries', width: 66, end: true, sortBy: (item) => item.attempts, cell: (item) => item.attempts },
    { id: 'size', title: 'Size', width: 84, end: true, sortBy: (item) => item.sizeBytes, cell: (item) => <span className="time">{sizeWords(item.sizeBytes)}</span> },
    { id: 'expires', title: 'Expires', width: 96, sortBy: (item) => item.expiresAtMs, cell: (item) => <Expiry atMs={item.expiresAtMs} /> },
    { id: 'actions', title: '', width: 82, end: true, cell: (item) => <Actions item={item} /> },
  ];
}

export function OutboxPage() {
  const { client, run } = useServices();
  const outbox = useView((view) => view.outbox);
  const retryAll = (): void => {
    void run(async () => {
      await client.messages.retryAll();
      navigation.toast('good', `Trying ${countOf(outbox.length, 'message', 'messages')} again.`);
    });
  };
  return (
    <Page title="Outbox" lead="What is on its way. Waypost keeps trying until it arrives, expires, or you cancel it." actions={outbox.length === 0 ? undefined : <Button icon={RotateCw} onClick={retryAll}>Retry all</Button>}>
      {outbox.length === 0
        ? <EmptyState icon={Inbox} title="Nothing is waiting" text="All you wrote has arrived. Messages that are on their way appear here with the reason they wait and the time of the next try." />
        : <DataTable label="Outbox" columns={columnsFor(laneHeads(outbox))} rows={outbox} keyOf={(item) => item.messageId} />}
    </Page>
  );
}
