/** Turns the messages of a conversation into what is drawn: groups, day separators and gap markers. Pure. */
import { calendarDaysBetween, minuteMs } from '../../../shared/quantities.ts';
import type { MessageView } from '../../../shared/views.ts';

/** Messages of one side closer together than this form one group. */
const groupGapMs = 5 * minuteMs;

export interface Row {
  readonly message: MessageView;
  /** Set when a new day begins with this message. */
  readonly dayMs: number | undefined;
  readonly firstOfGroup: boolean;
  readonly lastOfGroup: boolean;
  /** The newest message of ours, whose state is also written in words. */
  readonly lastOutgoing: boolean;
}

function belongTogether(earlier: MessageView | undefined, later: MessageView | undefined): boolean {
  if (earlier === undefined || later === undefined) return false;
  return earlier.direction === later.direction && later.missingBefore === 0 && calendarDaysBetween(earlier.sentAtMs, later.sentAtMs) === 0 && Math.abs(later.sentAtMs - earlier.sentAtMs) < groupGapMs;
}

export function rowsOf(messages: readonly MessageView[]): readonly Row[] {
  const lastOutgoing = messages.findLastIndex((message) => message.direction === 'out');
  return messages.map((message, index) => {
    const before = messages[index - 1];
    const newDay = before === undefined || calendarDaysBetween(before.sentAtMs, message.sentAtMs) !== 0;
    return {
      message,
      dayMs: newDay ? message.sentAtMs : undefined,
      firstOfGroup: !belongTogether(before, message),
      lastOfGroup: !belongTogether(message, messages[index + 1]),
      lastOutgoing: index === lastOutgoing,
    };
  });
}
