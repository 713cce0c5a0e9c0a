/**
 * Turns any pair of pipes into a typed client or server of the contract. The pipes differ (Electron IPC, a Unix socket, a test double
 * in memory); validation, error codes and notifications are the same everywhere.
 */
import { contract, findEntry, type Client, type ContractEntry, type Handlers } from './contract.ts';
import { toErrorView, WaypostError, errorCodes, type ErrorCode, type ErrorView } from './errors.ts';

export type Reply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: ErrorView };

/** The client side of a pipe: one call, and a way to hear notifications by `group.method`. */
export interface ClientPipe {
  invoke(path: string, argument: unknown): Promise<Reply>;
  listen(path: string, listener: (payload: unknown) => void): () => void;
}

function errorFromReply(error: ErrorView): WaypostError {
  const code: ErrorCode = errorCodes.includes(error.code) ? error.code : 'internal';
  return new WaypostError(code, error.message);
}

/** Builds `client.group.method()` and `client.group.onEvent()` from the contract over a pipe. */
export function createClient(pipe: ClientPipe): Client {
  const client: Record<string, Record<string, unknown>> = {};
  for (const [group, methods] of Object.entries<Readonly<Record<string, ContractEntry>>>(contract)) {
    const target: Record<string, unknown> = {};
    for (const [method, entry] of Object.entries(methods)) {
      const path = `${group}.${method}`;
      if (entry.type === 'notification') {
        const event = `on${method.charAt(0).toUpperCase()}${method.slice(1)}`;
        target[event] = (listener: (payload: unknown) => void) =>
          pipe.listen(path, (payload) => {
            const parsed = entry.payload.safeParse(payload);
            if (parsed.success) listener(parsed.data);
          });
      } else {
        target[method] = async (argument?: unknown) => {
          const reply = await pipe.invoke(path, argument);
          if (!reply.ok) throw errorFromReply(reply.error);
          return reply.value;
        };
      }
    }
    client[group] = target;
  }
  return client as unknown as Client;
}

/**
 * Serves one call; groups that this process does not have are refused: argument validated, result or error as a reply, never a rejection.
 * `unexpected` is told of what was thrown that is no WaypostError, for the log.
 */
export async function serveCall(handlers: Partial<Handlers>, path: string, argument: unknown, unexpected?: (thrown: unknown) => void): Promise<Reply> {
  const entry = findEntry(path);
  if (entry === undefined || entry.type !== 'call') return { ok: false, error: { code: 'invalid-argument', message: 'This version of Waypost has no such call.' } };
  const parsed = entry.argument.safeParse(argument);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? 'the argument' : issue.path.join('.');
    return { ok: false, error: { code: 'invalid-argument', message: `${where} is not valid: ${issue?.message ?? 'unknown shape'}.` } };
  }
  const [group = '', method = ''] = path.split('.');
  const groups = handlers as unknown as Readonly<Record<string, Readonly<Record<string, (argument: unknown) => Promise<unknown>>>>>;
  const handler = groups[group]?.[method];
  if (handler === undefined) return { ok: false, error: { code: 'invalid-argument', message: 'This process does not serve that call.' } };
  try {
    return { ok: true, value: await handler(parsed.data) };
  } catch (thrown) {
    if (!(thrown instanceof WaypostError)) unexpected?.(thrown);
    return { ok: false, error: toErrorView(thrown) };
  }
}
