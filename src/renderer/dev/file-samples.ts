/** A conversation with a file in every state the contract knows, for the double. */
import type { FileState, FileView } from '../../shared/file-views.ts';
import type { Headline, MessageView } from '../../shared/views.ts';
import { relayNames, sampleConversationId, sampleKey, sampleMessage } from './samples.ts';

const minute = 60_000;
const day = 86_400_000;
const kB = 1_000;
const MB = 1_000_000;
const GB = 1_000 * MB;

export const fileFriend = 'Anna Lindqvist';
const mediaTypes: Readonly<Record<string, string>> = {
  png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp', pdf: 'application/pdf', mp4: 'video/mp4', mp3: 'audio/mpeg', zip: 'application/zip', txt: 'text/plain',
};
export const mediaTypeOf = (name: string): string => mediaTypes[name.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream';

const harbour = { relay: sampleKey(relayNames.harbour), relayName: relayNames.harbour };
const mill = { relay: sampleKey(relayNames.mill), relayName: relayNames.mill };

export const sampleFile = (name: string, sizeBytes: number, state: FileState, holders: FileView['holders'] = []): FileView => ({ name, mediaType: mediaTypeOf(name), sizeBytes, state, holders });

type FileLine = readonly [from: 'me' | 'them', file: FileView, text?: string, headline?: Headline];

function lines(nowMs: number): readonly FileLine[] {
  const waiting = (reason: Extract<FileState, { state: 'waiting' }>['reason'], doneBytes = 0): FileState => ({ state: 'waiting', reason, doneBytes });
  const failed = (reason: Extract<FileState, { state: 'failed' }>['reason']): FileState => ({ state: 'failed', reason });
  const stored: Headline = { state: 'stored', wanted: 2, heldBy: [{ ...harbour, untilMs: nowMs + 13.6 * day }] };
  const delivered: Headline = { state: 'delivered', atMs: nowMs - minute };
  return [
    ['them', sampleFile('from the jetty.jpg', 2.4 * MB, { state: 'ready' }), 'High water this morning.'],
    ['them', sampleFile('chart of the inner harbour.png', 14 * MB, waiting('no-source', 5.1 * MB))],
    ['them', sampleFile('scan of the whole atlas.png', 48 * MB, waiting('not-asked'))],
    ['them', sampleFile('mast.webp', 3.1 * MB, { state: 'moving', doneBytes: 1.2 * MB, bytesPerSecond: 310 * kB, remainingMs: 6_000, sources: [{ kind: 'relay', ...mill }] })],
    ['them', sampleFile('Regatta film.mp4', 312 * MB, waiting('not-asked')), 'The whole film, if you have the patience.'],
    ['them', sampleFile('Minutes of the annual meeting of the harbour association with all appendices.pdf', 64 * MB, { state: 'moving', doneBytes: 23.4 * MB, bytesPerSecond: 2.1 * MB, remainingMs: 19_000, sources: [{ kind: 'sender' }, { kind: 'relay', ...mill }] })],
    ['them', sampleFile('drone flight.mp4', 1.8 * GB, { state: 'moving', doneBytes: 0.4 * GB, bytesPerSecond: 640 * kB, remainingMs: 36 * minute, sources: [{ kind: 'forwarded', ...harbour }] })],
    ['them', sampleFile('songs.zip', 120 * MB, waiting('paused', 48 * MB))],
    ['them', sampleFile('engine noise.mp3', 9.8 * MB, waiting('no-source', 2.2 * MB))],
    ['them', sampleFile('backup of the old site.zip', 8 * GB, waiting('disk-full', 3.1 * GB))],
    ['them', sampleFile('list of berths.txt', 4.2 * kB, waiting('letter-first'))],
    ['them', sampleFile('berths.pdf', 410 * kB, { state: 'ready' })],
    ['them', sampleFile('invoice.pdf', 220 * kB, failed('damaged'))],
    ['them', sampleFile('draft.txt', 12 * kB, failed('cancelled'))],
    ['them', sampleFile('last summer.jpg', 5.2 * MB, failed('gone'))],
    ['them', sampleFile('old plan.pdf', 1.1 * MB, failed('expired'))],
    ['them', sampleFile('notes.txt', 3.3 * kB, failed('unreadable'))],
    ['them', sampleFile('wrong list.txt', 1.4 * kB, failed('taken-back'))],
    ['me', sampleFile('sail plan.pdf', 6.4 * MB, { state: 'ready' }, [{ ...harbour, heldBytes: 6.4 * MB, complete: true }]), 'The new one.', stored],
    ['me', sampleFile('sunset.jpg', 1.9 * MB, { state: 'ready' }), '', delivered],
    ['me', { ...sampleFile('regatta.jpg', 2.8 * MB, { state: 'ready' }), copyGone: true }, '', delivered],
    ['me', sampleFile('raw pictures.zip', 180 * MB, waiting('relay-full'), []), '', stored],
    ['me', sampleFile('logbook.pdf', 12 * MB, { state: 'waiting', reason: 'others-first', othersFirst: 9, doneBytes: 0 }), '', stored],
    ['me', sampleFile('whole archive.zip', 3.2 * GB, { state: 'waiting', reason: 'no-source', doneBytes: 0, relayHoldsBytes: 268_435_456 }), '', stored],
    ['me', sampleFile('old letter.txt', 2 * kB, failed('expired')), '', { state: 'expired' }],
    ['me', sampleFile('scan.pdf', 31 * MB, { state: 'moving', doneBytes: 13 * MB, bytesPerSecond: 900 * kB, remainingMs: 20_000, sources: [] }, [{ ...harbour, heldBytes: 13 * MB, complete: false }]), '', stored],
  ];
}

export function sampleFileTalk(nowMs: number): MessageView[] {
  const all = lines(nowMs);
  return all.map(([from, file, text, headline], index) => {
    const sentAtMs = nowMs - (all.length - index) * 7 * minute;
    return sampleMessage({
      conversationId: sampleConversationId(fileFriend), direction: from === 'me' ? 'out' : 'in', sentAtMs, text: text ?? '', file,
      ...(from === 'them' ? { receivedAtMs: sentAtMs + 2_000 } : {}), ...(headline === undefined ? {} : { headline }),
    });
  });
}
