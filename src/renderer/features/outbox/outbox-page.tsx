/** All that is not delivered yet: where it is, why, when the next try comes, and what can be done. */
import { CircleX, Inbox, RotateCw } from 'lucide-react';
import { countOf, exactWords, remainingWords, sizeWords } from '../../../shared/quantities.ts';
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
      <span className="outbox__state"><StateIcon headline={item.headline} /><span className="outbox__words">{headlineWords(item.headline, nowMs)}{blocks ? '; later ones wait behind it' : ''}</span></span>
      {reason === '' ? null : <span className="outbox__reason" title={reason}>{reason}</span>}
    </div>
  );
}

function Expiry({ item: { expiresAtMs, queuedAtMs } }: { readonly item: OutboxItemView }) {
  const nowMs = useNow(60_000);
  return <time className="time" dateTime={new Date(expiresAtMs).toISOString()} title={exactWords(expiresAtMs)}>in {remainingWords(expiresAtMs - nowMs, expiresAtMs - queuedAtMs)}</time>;
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
    { id: 'to', title: 'To', width: 116, lead: true, sortBy: (item) => item.toName, cell: (item) => <button type="button" className="link-button truncate" title={`Open the conversation with ${item.toName}`} onClick={() => navigation.openConversation(item.conversationId)}>{item.toName}</button> },
    { id: 'what', title: 'What', width: 120, grow: true, lead: true, sortBy: (item) => item.summary, cell: (item) => <span className="outbox__what outbox__what--text" title={item.summary}><span>{item.kind === 'message' ? item.summary : kinds[item.kind]}</span>{item.kind === 'message' ? null : <span className="muted">Waypost sends this by itself</span>}</span> },
    { id: 'state', title: 'Where it is', width: 194, grow: true, lead: true, sortBy: (item) => item.headline.state, cell: (item) => <State item={item} blocks={heads.has(item.messageId)} /> },
    { id: 'next', title: 'Next try', width: 80, sortBy: (item) => item.nextTryAtMs ?? Number.MAX_SAFE_INTEGER, cell: (item) => (item.nextTryAtMs === undefined ? <span className="muted time">none due</span> : <Countdown atMs={item.nextTryAtMs} />) },
    { id: 'tries', title: 'Tries', width: 58, end: true, sortBy: (item) => item.attempts, cell: (item) => item.attempts },
    { id: 'size', title: 'Size', width: 90, end: true, sortBy: (item) => item.sizeBytes, cell: (item) => <span className="time">{sizeWords(item.sizeBytes)}</span> },
    { id: 'expires', title: 'Expires', width: 90, sortBy: (item) => item.expiresAtMs, cell: (item) => <Expiry item={item} /> },
    { id: 'actions', title: '', width: 70, end: true, cell: (item) => <Actions item={item} /> },
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
        ? <EmptyState icon={Inbox} title="Nothing is waiting" text="Nothing you wrote is still on its way. What is appears here, with the reason it waits and the time of the next try." />
        : <DataTable label="Outbox" columns={columnsFor(laneHeads(outbox))} rows={outbox} keyOf={(item) => item.messageId} />}
    </Page>
  );
}
