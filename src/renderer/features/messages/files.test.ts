import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Client } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { filesAtOnceMaximum } from '../../../shared/file-limits.ts';
import { fileFailReasons, fileMaximumBytes, fileWaitReasons, type FileState } from '../../../shared/file-views.ts';
import { sampleFile } from '../../dev/file-samples.ts';
import { sampleMessage } from '../../dev/samples.ts';
import type { FileGrants } from '../../file-grants.ts';
import { navigationStore } from '../../navigation.ts';
import { attach, outgoingOf, pickAndAttach, removeAttachment, sendAttachments } from './attachments.ts';
import { fileActions, fileKind, isPicture, isPictureHere, isPictureUrl, splitName } from './file-facts.ts';

describe('the name of a file', () => {
  it('always shows its end, the extension included', () => {
    expect(splitName('Minutes of the annual meeting.pdf')).toEqual(['Minutes of the annual mee', 'ting.pdf']);
    expect(splitName('a.txt')).toEqual(['a.txt', '']);
    expect(splitName('.profile')).toEqual(['.pro', 'file']);
    expect(splitName('what.is-certainly-no-extension')).toEqual(['what.is-certainly-no-exten', 'sion']);
  });
  it('loses nothing by being cut', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (name) => { expect(splitName(name).join('')).toBe(name); }));
  });
});

describe('what a file is', () => {
  it('is shown inline for four kinds up to 16 MiB, and for nothing else', () => {
    expect(['a.png', 'a.jpg', 'a.gif', 'a.webp', 'a.svg', 'a.pdf', 'a.html'].map((name) => isPicture(sampleFile(name, 1_000, { state: 'ready' })))).toEqual([true, true, true, true, false, false, false]);
    expect(isPicture(sampleFile('a.png', 16 * 1_048_576 + 1, { state: 'ready' }))).toBe(false);
  });
  it('has pictures of ours here from the start, and of others when they have come', () => {
    const moving: FileState = { state: 'moving', doneBytes: 1, bytesPerSecond: 1, sources: [] };
    expect([isPictureHere(sampleFile('a.png', 9, moving), 'out'), isPictureHere(sampleFile('a.png', 9, moving), 'in'), isPictureHere(sampleFile('a.png', 9, { state: 'ready' }), 'in')]).toEqual([true, false, true]);
  });
  it('has no picture of ours here once its copy is gone', () => {
    const sent = sampleFile('a.png', 9, { state: 'ready' });
    expect([isPictureHere(sent, 'out'), isPictureHere({ ...sent, copyGone: true }, 'out')]).toEqual([true, false]);
  });
  it('takes no other address for a picture', () => {
    expect(isPictureUrl('data:image/png;base64,iVBORw0KGgo=')).toBe(true);
    for (const url of ['data:image/svg+xml;base64,PHN2Zz4=', 'data:text/html;base64,PGI+', 'data:image/png,x', 'https://example.org/a.png', 'blob:x', '']) expect(isPictureUrl(url)).toBe(false);
  });
  it('has an icon by its media type, else by its extension', () => {
    expect([fileKind('x', 'audio/ogg'), fileKind('x.tar.gz', 'application/octet-stream'), fileKind('x.csv'), fileKind('constructor.toString'), fileKind('x')]).toEqual(['audio', 'archive', 'table', 'other', 'other']);
  });
});

describe('what can be done with a file', () => {
  const actions = (state: FileState, direction: 'in' | 'out' = 'in', headline = sampleMessage({ direction }).headline): readonly string[] => fileActions({ file: sampleFile('a.zip', 9, state), direction, headline });

  it('follows from its state', () => {
    expect(actions({ state: 'moving', doneBytes: 1, bytesPerSecond: 1, sources: [] })).toEqual(['pause', 'cancel']);
    expect(actions({ state: 'ready' })).toEqual(['save']);
    expect(fileWaitReasons.map((reason) => actions({ state: 'waiting', reason, doneBytes: 0 }).join(' '))).toEqual(['cancel', 'cancel', 'download', 'resume cancel', 'retry cancel', 'cancel', 'cancel']);
    expect(fileFailReasons.map((reason) => actions({ state: 'failed', reason }).join(' '))).toEqual(['retry', '', 'retry', 'retry', 'retry', '']);
  });
  it('is to take back what is still on its way', () => {
    expect(actions({ state: 'ready' }, 'out', { state: 'stored', heldBy: [], wanted: 2 })).toEqual(['cancel']);
    expect(actions({ state: 'ready' }, 'out', { state: 'read', atMs: 0 })).toEqual([]);
    expect(actions({ state: 'waiting', reason: 'no-source', doneBytes: 0 }, 'out', { state: 'delivered', atMs: 0 })).toEqual(['cancel']);
    expect(actions({ state: 'failed', reason: 'expired' }, 'out', { state: 'expired' })).toEqual([]);
  });
});

describe('files about to be sent', () => {
  let conversation = 0;
  const fresh = (): string => `conversation ${String(conversation += 1)}`;
  const released: string[] = [];
  let given = 0;
  const grants: FileGrants = {
    grant: async ({ name, size }) => {
      if (name === 'folder') throw new WaypostError('file-unreadable', 'This is a folder.');
      return { grant: `${name} ${String(given += 1)}`, name, sizeBytes: size };
    },
    pick: async () => ({ files: [{ grant: 'picked', name: 'picked.txt', sizeBytes: 1 }], problems: ['One was a folder.'] }),
    release: (grant) => { released.push(grant); },
  };
  const file = (name: string): File => new File(['x'], name);
  const names = (id: string): string[] => outgoingOf(id).attachments.map(({ name }) => name);
  const clientOf = (send: (argument: { readonly file: unknown; readonly text: string }) => Promise<unknown>): Client => ({ files: { send } }) as unknown as Client;
  afterEach(() => { navigationStore.setState({ toasts: [] }); });

  it('stand in the order they came, and what cannot be taken is said', async () => {
    const id = fresh();
    await attach(id, grants, [file('a'), file('folder'), file('b')]);
    await pickAndAttach(id, grants);
    expect(names(id)).toEqual(['a', 'b', 'picked.txt']);
    expect(navigationStore.getState().toasts.map(({ text }) => text)).toEqual(['This is a folder.', 'One was a folder.']);
  });
  it('are let go when they are taken out, and when there are too many', async () => {
    const id = fresh();
    await attach(id, grants, Array.from({ length: filesAtOnceMaximum + 5 }, (_, index) => file(`file ${String(index)}`)));
    expect(names(id)).toHaveLength(filesAtOnceMaximum);
    expect(released).toHaveLength(1);
    const [first] = outgoingOf(id).attachments;
    removeAttachment(id, grants, first?.grant ?? '');
    expect(released.at(-1)).toBe(first?.grant);
    expect(names(id)).toHaveLength(filesAtOnceMaximum - 1);
  });
  it('go one after the other, the text with the first', async () => {
    const id = fresh();
    await attach(id, grants, [file('a'), file('b')]);
    const sent: string[] = [];
    sendAttachments(clientOf(async ({ text }) => { sent.push(`${names(id).join(' ')}: ${text}`); }), id, 'Look');
    expect(outgoingOf(id).sending?.text).toBe('Look');
    await expect(outgoingOf(id).sending?.textSent).resolves.toBe(true);
    await vi.waitFor(() => expect(outgoingOf(id).sending).toBeUndefined());
    expect([sent, names(id)]).toEqual([['a b: Look', 'b: '], []]);
  });
  it('stay with the reason when sending fails, and all that come after', async () => {
    const id = fresh();
    await attach(id, grants, [file('a'), file('b')]);
    sendAttachments(clientOf(async () => { throw new WaypostError('disk-full', 'No room.'); }), id, 'Look');
    const textSent = outgoingOf(id).sending?.textSent;
    await expect(textSent).resolves.toBe(false);
    await vi.waitFor(() => expect(outgoingOf(id).sending).toBeUndefined());
    expect(outgoingOf(id).attachments.map(({ name, state, problem }) => [name, state, problem])).toEqual([['a', 'failed', 'No room.'], ['b', 'chosen', undefined]]);
  });
  it('can not be taken out while they are being sealed, nor be sent twice', async () => {
    const id = fresh();
    await attach(id, grants, [file('a')]);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const send = vi.fn(() => promise);
    sendAttachments(clientOf(send), id, '');
    sendAttachments(clientOf(send), id, '');
    removeAttachment(id, grants, outgoingOf(id).attachments[0]?.grant ?? '');
    expect([names(id), send.mock.calls.length]).toEqual([['a'], 1]);
    resolve(undefined);
    await vi.waitFor(() => expect(names(id)).toEqual([]));
  });
  it('do not go while one of them is too large', async () => {
    const id = fresh();
    await attach(id, { ...grants, grant: async ({ name }) => ({ grant: name, name, sizeBytes: fileMaximumBytes + 1 }) }, [file('huge')]);
    const send = vi.fn(async () => undefined);
    sendAttachments(clientOf(send), id, '');
    expect([send.mock.calls.length, names(id)]).toEqual([0, ['huge']]);
  });
});
