/**
 * Shows how a file moves while a verb waits for it. On a terminal one line that is drawn anew; into a file or a pipe a line when something is different,
 * and now and then; with `--json` one object a line on the output stream: `{"progress": {"messageId", "file"}}`, or with the `name` of what is published.
 */
import type { FileView } from '../../shared/file-views.ts';
import type { MessageView } from '../../shared/views.ts';
import { clipped, progressWords } from './file-words.ts';
import { printable, type Terminal } from './terminal.ts';

/** Fast enough to look alive. */
const redrawMs = 100;
const eventMs = 500;
/** Into a log nobody wants a line a second. */
const plainMs = 10_000;
const columnsUnknown = 80;
/** Back to the start of the line, and all of it gone (ECMA-48 8.3.41). */
const clearLine = '\r\u001b[K';

export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** A message with its file, or what is published with its name as `id`. */
export type ShownFile = Pick<MessageView, 'id' | 'direction' | 'file'>;

export interface FileProgress {
  show(message: ShownFile): void;
  /** Before anything else is written. */
  end(): void;
}

/** What has to change for a line to be worth it at once. */
function kindOf({ state }: FileView): string {
  switch (state.state) {
    case 'waiting': case 'failed': return `${state.state} ${state.reason}`;
    case 'moving': return [state.state, ...state.sources.map((source) => `${source.kind} ${source.relay ?? ''}`)].join(' ');
    case 'ready': return state.state;
  }
}

export function createFileProgress(terminal: Terminal, stream: ProgressStream = process.stderr, nowMs: () => number = () => performance.now(), subject: 'messageId' | 'name' = 'messageId'): FileProgress {
  const isDrawn = !terminal.isJson && stream.isTTY === true;
  const everyMs = terminal.isJson ? eventMs : isDrawn ? redrawMs : plainMs;
  let shownAtMs = Number.NEGATIVE_INFINITY;
  let shownKind = '';
  let shown = '';
  let hasLine = false;

  return {
    show(message) {
      const { file, direction, id } = message;
      if (file === undefined) return;
      const atMs = nowMs();
      const kind = kindOf(file);
      if (kind === shownKind && atMs - shownAtMs < everyMs) return;
      const text = terminal.isJson ? JSON.stringify(file) : progressWords(file, direction);
      if (text === shown) return;
      [shownAtMs, shownKind, shown] = [atMs, kind, text];
      if (terminal.isJson) terminal.result('', { progress: { [subject]: id, file } });
      else if (isDrawn) {
        hasLine = true;
        // One column stays free, or some terminals begin a new line. Those that do not know their width say 0.
        const columns = stream.columns === undefined || stream.columns === 0 ? columnsUnknown : stream.columns;
        stream.write(`${clearLine}${clipped(printable(text).replaceAll('\n', ' '), columns - 1)}`);
      } else terminal.note(text);
    },
    end() {
      if (hasLine) stream.write(clearLine);
      hasLine = false;
    },
  };
}
