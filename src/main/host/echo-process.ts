/**
 * Entry of the process of Echo: a second visor, complete with identity, storage and socket, so that trying Waypost out needs nobody else and
 * uses the real way from end to end. It is told what it is by one message, and ends when its parent does.
 */
import path from 'node:path';
import { WaypostError, toErrorView } from '../../shared/errors.ts';
import { createClient } from '../../shared/transport.ts';
import { fromHex } from '../engine/wire/bytes.ts';
import { parseRelayHint } from '../engine/wire/relay-hint.ts';
import { serveControlSocket, type ControlSocket } from './control-socket.ts';
import { toEchoSchema, type FromEcho, type ToEcho } from './echo-messages.ts';
import { startEchoResponder, type EchoResponder } from './echo-responder.ts';
import { lockProfile, profileAt, type ProfileLock } from './profile.ts';
import { startVisorRuntime, type VisorRuntime } from './visor-runtime.ts';

const echoName = 'Echo';

interface Parent {
  post(message: FromEcho): void;
  onMessage(listener: (message: unknown) => void): void;
}

interface UtilityPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

/** A utility process of Electron has a port; a forked Node has a channel. */
function findParent(): Parent {
  const port = Reflect.get(process, 'parentPort') as UtilityPort | undefined;
  if (port !== undefined) {
    return { post: (message) => { port.postMessage(message); }, onMessage: (listener) => { port.on('message', (event) => { listener(event.data); }); } };
  }
  process.once('disconnect', () => { void stop(); });
  return { post: (message) => { process.send?.(message); }, onMessage: (listener) => { process.on('message', listener); } };
}

let lock: ProfileLock | undefined;
let runtime: VisorRuntime | undefined;
let socket: ControlSocket | undefined;
let responder: EchoResponder | undefined;

async function start(parent: Parent, { directory, identitySecret, localKey, relayHint }: Extract<ToEcho, { type: 'start' }>): Promise<void> {
  const profile = profileAt(directory);
  const secret = fromHex(identitySecret);
  const key = fromHex(localKey);
  const hint = parseRelayHint(relayHint);
  if (secret === undefined || key === undefined || hint === undefined) throw new WaypostError('invalid-argument', 'Echo was started without what it needs.');
  lock = await lockProfile(profile);
  runtime = await startVisorRuntime({
    directory: profile.directory, identitySecret: secret, localKey: key, initialName: echoName, visor: true, relay: undefined,
    listenHost: '127.0.0.1', listenPort: 0, confirmClock: false, notices: [],
  });
  socket = await serveControlSocket(profile.controlAddress, runtime.pipe);
  const client = createClient(runtime.pipe);
  await runtime.command({ name: 'add-relay', hint, role: 'own' });
  const { link } = await client.invites.create();
  responder = await startEchoResponder(client, path.join(profile.directory, 'echo-cursor.json'));
  parent.post({ type: 'ready', link, publicKey: runtime.publicKey });
}

async function stop(): Promise<void> {
  await responder?.stop();
  await socket?.close();
  await runtime?.stop();
  lock?.release();
  process.exit(0);
}

const parent = findParent();
parent.onMessage((value) => {
  const message = toEchoSchema.safeParse(value);
  if (!message.success) return;
  if (message.data.type === 'stop') {
    void stop();
    return;
  }
  start(parent, message.data).catch((error: unknown) => {
    parent.post({ type: 'failed', ...toErrorView(error) });
    void stop();
  });
});
