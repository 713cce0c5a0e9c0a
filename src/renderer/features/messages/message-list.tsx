/**
 * The messages of one conversation, drawn only where they are in sight. It starts at the newest, stays there while new ones come, keeps its
 * place when older ones are put before or when the room for it changes, and asks for older ones near the top. One message at a time takes the
 * focus; arrows move it.
 */
import { defaultRangeExtractor, useVirtualizer, type Range } from '@tanstack/react-virtual';
import { ArrowDown } from 'lucide-react';
import { useEffect, useEffectEvent, useRef, useState, type KeyboardEvent, type UIEvent } from 'react';
import { sizeWords } from '../../../shared/quantities.ts';
import { fileFailSentence, fileStateLines } from '../../../shared/file-sentences.ts';
import { headlineWords, messageSummary } from '../../../shared/sentences.ts';
import type { ConversationView, MessageView } from '../../../shared/views.ts';
import { useServices } from '../../services.tsx';
import { store } from '../../store.ts';
import type { Page } from '../../state.ts';
import { Button } from '../../ui/button.tsx';
import { useNow } from '../../ui/use-now.ts';
import { MessageRow, openHops } from './message-row.tsx';
import { isPicture } from './file-facts.ts';
import { rowsOf, type Row } from './rows.ts';

const estimatedHeights = { text: 64, card: 132, picture: 290 } as const;
const estimatedHeight = (row: Row | undefined): number => estimatedHeights[row?.message.file === undefined ? 'text' : isPicture(row.message.file) ? 'picture' : 'card'];
/** This close to the end counts as reading the newest. */
const endPixels = 80;
/** Older messages are asked for when fewer than this are left above. */
const askAheadRows = 8;

export function MessageList({ conversation, page }: { readonly conversation: ConversationView; readonly page: Page }) {
  const { sync, run } = useServices();
  const nowMs = useNow(30_000);
  const scroller = useRef<HTMLDivElement>(null);
  const [activeId, setActiveId] = useState<string | undefined>(undefined);
  const rows = rowsOf(page.messages);
  const lastIndex = rows.length - 1;
  const foundActive = rows.findIndex((row) => row.message.id === activeId);
  const active = foundActive < 0 ? lastIndex : foundActive;

  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer is meant to be read on every render here
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => estimatedHeight(rows[index]),
    getItemKey: (index) => rows[index]?.message.id ?? index,
    overscan: 10,
    paddingEnd: 16,
    anchorTo: 'end',
    followOnAppend: true,
    scrollEndThreshold: endPixels,
    // The focused message stays in the document however far it is scrolled away, or the focus would be lost.
    rangeExtractor: (range: Range) => {
      const shown = defaultRangeExtractor(range);
      return active < 0 || shown.includes(active) ? shown : [...shown, active].sort((first, second) => first - second);
    },
  });
  const items = virtualizer.getVirtualItems();
  const atEnd = virtualizer.isAtEnd(endPixels);

  const toEnd = useEffectEvent(() => virtualizer.scrollToEnd());
  useEffect(() => toEnd(), []);

  // Another width breaks lines elsewhere, and a longer draft takes height: a drawer opens, the window changes, somebody writes. Who has scrolled
  // to the newest stays there; else the message in hand stays in sight.
  const wantsEnd = useRef(true);
  const scrolledTo = useRef(0);
  const onScroll = (event: UIEvent<HTMLElement>): void => {
    const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
    // Rows that grow push the end away without anybody having scrolled: only who goes up leaves it.
    if (scrollHeight - scrollTop - clientHeight <= endPixels) wantsEnd.current = true;
    else if (scrollTop < scrolledTo.current) wantsEnd.current = false;
    scrolledTo.current = scrollTop;
  };
  const keepPlace = useEffectEvent((isNewWidth: boolean) => {
    if (wantsEnd.current) virtualizer.scrollToEnd();
    else if (isNewWidth && activeId !== undefined) virtualizer.scrollToIndex(active, { align: 'auto' });
  });
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    let [width, height] = [element.clientWidth, element.clientHeight];
    const observer = new ResizeObserver(() => {
      const isNewWidth = element.clientWidth !== width;
      if (!isNewWidth && element.clientHeight === height) return;
      [width, height] = [element.clientWidth, element.clientHeight];
      keepPlace(isNewWidth);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const firstShown = items[0]?.index ?? 0;
  const fits = virtualizer.scrollRect !== null && virtualizer.getTotalSize() <= virtualizer.scrollRect.height;
  const wantsOlder = page.more && firstShown < askAheadRows && (virtualizer.isScrolling || fits);
  useEffect(() => {
    if (wantsOlder) void run(() => sync.loadOlder(conversation.id));
  }, [wantsOlder, conversation.id, run, sync]);

  const focusRow = (index: number): void => {
    const id = rows[index]?.message.id;
    if (id === undefined) return;
    setActiveId(id);
    virtualizer.scrollToIndex(index, { align: 'auto' });
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-message="${id}"]`)?.focus({ preventScroll: true }));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLButtonElement) return;
    const targets: Readonly<Record<string, number>> = { ArrowUp: active - 1, ArrowDown: active + 1, Home: 0, End: lastIndex };
    const target = targets[event.key];
    if (target !== undefined) {
      event.preventDefault();
      focusRow(Math.min(lastIndex, Math.max(0, target)));
    } else if (event.key === 'Enter') {
      const id = rows[active]?.message.id;
      if (id !== undefined) openHops(id);
    }
  };

  const lastOwn = rows.findLast((row) => row.lastOutgoing)?.message;
  return (
    <div className="messages-area">
      <div className="messages" role="list" aria-label={`Messages with ${conversation.name}`} ref={scroller} onKeyDown={onKeyDown} onScroll={onScroll}>
        <div className="messages__sizer" role="presentation" style={{ height: virtualizer.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index];
            return row === undefined ? null : (
              <div
                key={item.key} role="listitem" className="messages__item" data-index={item.index} data-message={row.message.id} ref={virtualizer.measureElement} aria-setsize={page.more ? -1 : rows.length} aria-posinset={item.index + 1}
                tabIndex={item.index === active ? 0 : -1} data-pane-focus={item.index === active ? true : undefined} style={{ transform: `translateY(${String(item.start)}px)` }} onFocus={() => setActiveId(row.message.id)}
              >
                <MessageRow row={row} from={conversation.name} nowMs={nowMs} active={item.index === active} />
              </div>
            );
          })}
        </div>
      </div>
      {atEnd ? null : <div className="jump"><Button size="small" icon={ArrowDown} onClick={() => virtualizer.scrollToEnd()}>Newest</Button></div>}
      <div className="visually-hidden" role="status" aria-label="State of your last message">{lastOwn === undefined ? '' : headlineWords(lastOwn.headline, nowMs)}</div>
      <NewMessageAnnouncer conversation={conversation} />
      <FileAnnouncer conversationId={conversation.id} />
    </div>
  );
}

/** Reads out what others write while the conversation is open; what was there before stays silent. */
function NewMessageAnnouncer({ conversation }: { readonly conversation: ConversationView }) {
  const last = conversation.last;
  const [firstSeen] = useState(last?.id);
  const fresh = last !== undefined && last.direction === 'in' && last.id !== firstSeen;
  return <div className="visually-hidden" aria-live="polite">{fresh ? `${conversation.name}: ${spokenMessage(last)}` : ''}</div>;
}

const spokenMessage = (message: MessageView): string => (message.file === undefined ? message.text : `File ${messageSummary(message)}, ${sizeWords(message.file.sizeBytes)}`);

/** What became of a file while it was looked at; how far it is can be asked of its progress bar, and is not read out by itself. */
function fileNews(before: readonly MessageView[], after: readonly MessageView[]): string | undefined {
  const known = new Map(before.map((message) => [message.id, message.file?.state.state]));
  for (const { id, file, direction } of after) {
    const earlier = known.get(id);
    if (file === undefined || earlier === undefined || earlier === file.state.state) continue;
    if (file.state.state === 'ready') return direction === 'in' ? `${file.name} is here.` : `${file.name}: ${fileStateLines(file, direction)[0]}`;
    if (file.state.state === 'failed') return `${file.name}: ${fileFailSentence(file.state.reason, direction)}`;
  }
  return undefined;
}

function FileAnnouncer({ conversationId }: { readonly conversationId: string }) {
  const [news, setNews] = useState('');
  useEffect(() => store.subscribe((now, before) => {
    const [after, earlier] = [now.live?.pages[conversationId]?.messages, before.live?.pages[conversationId]?.messages];
    if (after === undefined || earlier === undefined || after === earlier) return;
    const said = fileNews(earlier, after);
    if (said !== undefined) setNews(said);
  }), [conversationId]);
  return <div className="visually-hidden" role="status" aria-label="News of files">{news}</div>;
}
