/** Waiting for a message to get somewhere, and saying truthfully where it is. */
import type { Client } from '../../shared/contract.ts';
import type { Headline, MessageView } from '../../shared/views.ts';

/** Patches tell of changes at once; this catches what a lost connection or a restart of the engine left unsaid. */
const lookAgainMs = 1_000;

export type Wanted = 'stored' | 'delivered';

const reached: Readonly<Record<Wanted, ReadonlySet<Headline['state']>>> = {
  stored: new Set(['stored', 'delivered', 'read']),
  delivered: new Set(['delivered', 'read']),
};
const ended: ReadonlySet<Headline['state']> = new Set(['failed', 'expired', 'cancelled', 'unconfirmed']);

export const hasReached = (headline: Headline, wanted: Wanted): boolean => reached[wanted].has(headline.state);
export const hasEnded = (headline: Headline): boolean => ended.has(headline.state);

/** The message as it is when it has got there, has ended otherwise, or the time is over. `timeoutMs` undefined: no limit but its TTL. */
export async function waitForMessage(client: Client, messageId: string, wanted: Wanted, timeoutMs: number | undefined, lost: Promise<void>): Promise<MessageView> {
  let wake = (): void => undefined;
  const connection = { isLost: false };
  void lost.then(() => { connection.isLost = true; wake(); });
  const unsubscribe = client.state.onPatch((patch) => {
    if (patch.changes.some((change) => change.kind === 'message' && change.value.id === messageId)) wake();
  });
  // Patches begin with the first snapshot.
  await client.state.snapshot();
  const untilMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
  try {
    for (;;) {
      const message = await client.messages.get({ messageId });
      const remainingMs = untilMs - performance.now();
      if (hasReached(message.headline, wanted) || hasEnded(message.headline) || remainingMs <= 0 || connection.isLost) return message;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(lookAgainMs, remainingMs));
        wake = () => { clearTimeout(timer); resolve(); };
      });
    }
  } finally {
    unsubscribe();
  }
}
