/** How the command line speaks: results on the output stream, everything else on the error stream; with `--json` one object a line. */
import { toErrorView, WaypostError, type ErrorView } from '../../shared/errors.ts';

export const exitFailed = 1;
export const exitUsage = 2;

export interface Terminal {
  readonly isJson: boolean;
  /** `text` for people or `value` as one line of JSON. */
  result(text: string, value: unknown): void;
  /** For people only, and never part of the result: warnings and progress. */
  note(text: string): void;
}

/** Texts come from strangers: control characters could rewrite what the terminal shows. Line breaks and tabs stay. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is taken out
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

export function createTerminal(isJson: boolean): Terminal {
  return {
    isJson,
    result(text, value) {
      if (isJson) process.stdout.write(`${JSON.stringify(value ?? {})}\n`);
      else if (text !== '') process.stdout.write(`${printable(text)}\n`);
    },
    note(text) {
      process.stderr.write(`${printable(text)}\n`);
    },
  };
}

/** One sentence and the code. */
export function describeError(error: unknown, isJson: boolean): string {
  const view: ErrorView = toErrorView(error);
  return isJson ? JSON.stringify({ error: view }) : `waypost: ${printable(view.message)} (${view.code})`;
}

export function exitCodeOf(error: unknown): number {
  return error instanceof WaypostError && error.code === 'invalid-argument' ? exitUsage : exitFailed;
}
