/**
 * Files that are chosen but not sent, by conversation. They outlive a look at another conversation, and so does sending them: sealing a large one
 * takes its time, and what fails keeps its place and the text with it. Kept in the memory of this window and nowhere else.
 */
import { createStore } from 'zustand/vanilla';
import { useStore } from 'zustand';
import type { Client, GrantedFile } from '../../../shared/contract.ts';
import { filesAtOnceMaximum } from '../../../shared/file-limits.ts';
import { countOf } from '../../../shared/quantities.ts';
import { fileSizeSentence } from '../../../shared/file-sentences.ts';
import type { FileGrants } from '../../file-grants.ts';
import { navigation } from '../../navigation.ts';
import { errorSentence } from '../../services.tsx';

export interface Attachment extends GrantedFile {
  readonly state: 'chosen' | 'sealing' | 'failed';
  /** Why it was not sent. */
  readonly problem?: string;
}

export interface Outgoing {
  readonly attachments: readonly Attachment[];
  /** Set while files are being sent. `textSent` resolves when the text has gone with its file, or with false when it has not. */
  readonly sending: { readonly text: string; readonly textSent: Promise<boolean>; readonly isTextSent: boolean } | undefined;
}

const none: Outgoing = { attachments: [], sending: undefined };
const store = createStore<ReadonlyMap<string, Outgoing>>(() => new Map());
const of = (conversationId: string): Outgoing => store.getState().get(conversationId) ?? none;

function change(conversationId: string, next: Partial<Outgoing>): void {
  const all = new Map(store.getState());
  const outgoing = { ...of(conversationId), ...next };
  if (outgoing.attachments.length === 0 && outgoing.sending === undefined) all.delete(conversationId);
  else all.set(conversationId, outgoing);
  store.setState(all, true);
}
const changeOne = (conversationId: string, grant: string, next: Partial<Attachment>): void =>
  change(conversationId, { attachments: of(conversationId).attachments.map((one) => (one.grant === grant ? { ...one, ...next } : one)) });
const drop = (conversationId: string, grant: string): void => change(conversationId, { attachments: of(conversationId).attachments.filter((one) => one.grant !== grant) });

export const outgoingOf = of;
export const useOutgoing = (conversationId: string): Outgoing => useStore(store, (all) => all.get(conversationId) ?? none);

/** Such a file is shown with the reason and keeps everything from being sent until it is taken out. */
export const isRefused = (file: Pick<GrantedFile, 'sizeBytes'>): boolean => fileSizeSentence(file.sizeBytes)?.tone === 'danger';

function add(conversationId: string, grants: FileGrants, files: readonly GrantedFile[]): void {
  const { attachments } = of(conversationId);
  const room = Math.max(0, filesAtOnceMaximum - attachments.length);
  for (const file of files.slice(room)) grants.release(file.grant);
  if (files.length > room) navigation.toast('warning', `${countOf(filesAtOnceMaximum, 'file', 'files')} at once are the most. Send these first.`);
  change(conversationId, { attachments: [...attachments, ...files.slice(0, room).map((file): Attachment => ({ ...file, state: 'chosen' }))] });
}

/** Takes what the person dropped or pasted, in order; what cannot be taken is said. */
export async function attach(conversationId: string, grants: FileGrants, files: readonly File[]): Promise<void> {
  // Further ones would only be refused one by one.
  for (const file of files.slice(0, filesAtOnceMaximum + 1)) {
    try {
      add(conversationId, grants, [await grants.grant(file)]);
    } catch (thrown) {
      navigation.toast('danger', errorSentence(thrown));
    }
  }
}

export async function pickAndAttach(conversationId: string, grants: FileGrants): Promise<void> {
  try {
    const { files, problems } = await grants.pick();
    add(conversationId, grants, files);
    for (const problem of problems) navigation.toast('danger', problem);
  } catch (thrown) {
    navigation.toast('danger', errorSentence(thrown));
  }
}

export function removeAttachment(conversationId: string, grants: FileGrants, grant: string): void {
  if (of(conversationId).attachments.some((one) => one.grant === grant && one.state === 'sealing')) return;
  grants.release(grant);
  drop(conversationId, grant);
}

/** Sends one message for each file, the text with the first. What fails stays where it is with its reason, and all that come after it. */
export function sendAttachments(client: Client, conversationId: string, text: string): void {
  const { attachments, sending } = of(conversationId);
  if (sending !== undefined || attachments.length === 0 || attachments.some(isRefused)) return;
  const { promise: textSent, resolve } = Promise.withResolvers<boolean>();
  change(conversationId, { sending: { text, textSent, isTextSent: false }, attachments: attachments.map(({ problem: _solved, ...one }) => ({ ...one, state: 'chosen' })) });
  const onTextSent = (): void => {
    const { sending: now } = of(conversationId);
    if (now !== undefined) change(conversationId, { sending: { ...now, isTextSent: true } });
    resolve(true);
  };
  void sendInOrder(client, conversationId, text, attachments, onTextSent).finally(() => {
    resolve(false);
    change(conversationId, { sending: undefined });
  });
}

async function sendInOrder(client: Client, conversationId: string, text: string, attachments: readonly Attachment[], onTextSent: () => void): Promise<void> {
  for (const [index, { grant }] of attachments.entries()) {
    changeOne(conversationId, grant, { state: 'sealing' });
    try {
      await client.files.send({ to: conversationId, file: { by: 'grant', grant }, text: index === 0 ? text : '' });
    } catch (thrown) {
      changeOne(conversationId, grant, { state: 'failed', problem: errorSentence(thrown) });
      return;
    }
    if (index === 0) onTextSent();
    drop(conversationId, grant);
  }
}
