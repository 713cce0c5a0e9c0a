/** What passes between the main thread and the thread of an engine. Both ends are ours and of one build; the shapes are for the compiler. */
import type { ErrorView } from '../../shared/errors.ts';
import type { Reply } from '../../shared/transport.ts';
import type { CarryingView } from '../../shared/relay-views.ts';
import type { EchoView } from '../../shared/views.ts';
import type { CommandReply, EngineCommand } from '../engine/command-types.ts';
import type { PublicKeyHex, SocketAddress } from '../engine/wire/types.ts';
import type { RuntimeOptions } from './visor-runtime.ts';

export type ToEngineWorker =
  /** First, and once: carries the secrets. */
  | { readonly type: 'start'; readonly options: RuntimeOptions }
  | { readonly type: 'call'; readonly id: number; readonly path: string; readonly argument: unknown }
  | { readonly type: 'command'; readonly id: number; readonly command: EngineCommand }
  | { readonly type: 'listen'; readonly path: string }
  | { readonly type: 'echo'; readonly echo: EchoView }
  | { readonly type: 'notices'; readonly notices: readonly string[] }
  | { readonly type: 'carrying'; readonly carrying: CarryingView }
  | { readonly type: 'members'; readonly members: readonly PublicKeyHex[] }
  | { readonly type: 'network-changed' }
  | { readonly type: 'stop' };

export type FromEngineWorker =
  | { readonly type: 'started'; readonly publicKey: PublicKeyHex; readonly listen: SocketAddress }
  | { readonly type: 'start-failed'; readonly error: ErrorView }
  | { readonly type: 'reply'; readonly id: number; readonly reply: Reply }
  | { readonly type: 'command-reply'; readonly id: number; readonly reply: CommandReply }
  | { readonly type: 'notification'; readonly path: string; readonly payload: unknown }
  | { readonly type: 'stop-requested' }
  | { readonly type: 'stopped' };
