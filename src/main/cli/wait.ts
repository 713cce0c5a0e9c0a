/** Waiting for a message to get somewhere, and saying truthfully where it is. */
import type { Client } from '../../shared/contract.ts';
import type { Headline, MessageView } from '../../shared/views.ts';

/** Patches tell of changes at once; this catches what a lost connection or a restart of the engine left unsaid. */
const lookAgainMs = 1_000;

/** `held`: a relay has all of the file, or the recipient has it. */
export type Wanted = 'stored' | 'delivered' | 'held';

const reached: Readonly<Record<Exclude<Wanted, 'held'>, ReadonlySet<Headline['state']>>> = {
  stored: new Set(['stored', 'delivered', 'read']),
  delivered: new Set(['delivered', 'read']),
};
const ended: ReadonlySet<Headline['state']> = new Set(['failed', 'expired', 'cancelled', 'unconfirmed']);

type Watched = Pick<MessageView, 'headline' | 'file'>;

const isHeld = ({ file }: Watched): boolean => file !== undefined && (file.state.state === 'ready' || file.holders.some((holder) => holder.complete));
export const hasReached = (message: Watched, wanted: Wanted): boolean => (wanted === 'held' ? isHeld(message) : reached[wanted].has(message.headline.state));

/** It gets no further. */
export const hasEnded = ({ headline, file }: Watched, wanted: Wanted): boolean => ended.has(headline.state) || (wanted === 'held' && file?.state.state === 'failed');

export interface Following {
  /** It is as it should be, or gets no further. */
  readonly isOver: (message: MessageView) => boolean;
  /** Undefined: no limit. */
  readonly timeoutMs: number | undefined;
  /** Settles when there is nobody left to ask; asking then says so. */
  readonly lost: Promise<void>;
  /** Told of the message each time that it was looked at. */
  readonly seen?: (message: MessageView) => void;
}

/** `isOver` is false when the time was over first. */
export interface Followed { readonly message: MessageView; readonly isOver: boolean }

/** Looks at a message whenever it changes. @throws WaypostError `not-running` when the visor ends. */
export async function followMessage(client: Client, messageId: string, { isOver, timeoutMs, lost, seen }: Following): Promise<Followed> {
  let wake = (): void => undefined;
  // What comes while a look is under way counts for the next one.
  let changes = 0;
  const changed = (): void => { changes += 1; wake(); };
  void lost.then(changed);
  const unsubscribe = client.state.onPatch((patch) => {
    if (patch.changes.some((change) => change.kind === 'message' && change.value.id === messageId)) changed();
  });
  // Patches begin with the first snapshot.
  await client.state.snapshot();
  const untilMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
  try {
    for (;;) {
      const changesBefore = changes;
      const message = await client.messages.get({ messageId });
      seen?.(message);
      if (isOver(message)) return { message, isOver: true };
      const remainingMs = untilMs - performance.now();
      if (remainingMs <= 0) return { message, isOver: false };
      if (changes !== changesBefore) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(lookAgainMs, remainingMs));
        wake = () => { clearTimeout(timer); resolve(); };
      });
    }
  } finally {
    unsubscribe();
  }
}

/** The message as it is when it has got there, has ended otherwise, or the time is over. `timeoutMs` undefined: no limit but its TTL. */
export async function waitForMessage(client: Client, messageId: string, wanted: Wanted, options: Omit<Following, 'isOver'>): Promise<MessageView> {
  const { message } = await followMessage(client, messageId, { ...options, isOver: (seen) => hasReached(seen, wanted) || hasEnded(seen, wanted) });
  return message;
}
