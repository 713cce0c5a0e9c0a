/**
 * The files of the in-memory double: grants are kept in a map, sealing takes as long as it would, and what moves comes closer with every tick.
 * A file whose name begins with "unreadable" can not be sent; pictures that were not given by the person are painted.
 */
/* eslint-disable @typescript-eslint/require-await -- the contract is asynchronous, memory is not */
import type { Handlers } from '../../shared/contract.ts';
import { WaypostError } from '../../shared/errors.ts';
import type { Reply } from '../../shared/transport.ts';
import { fileHeldMaximumBytes, fileMaximumBytes, type FileView } from '../../shared/file-views.ts';
import type { MessageView } from '../../shared/views.ts';
import type { FileGrantPipe } from '../file-grants.ts';
import { mediaTypeOf, sampleFile } from './file-samples.ts';
import { relayNames, sampleHex, sampleKey } from './samples.ts';

const tickMs = 500;
const sealingBytesPerMs = 160_000;
const fetchBytesPerSecond = 2_600_000;

/** What the double lets this part do with its messages. */
export interface FileWorld {
  readonly all: () => readonly MessageView[];
  readonly find: (messageId: string) => MessageView;
  readonly put: (message: MessageView) => void;
  /** Makes an outgoing message and lets it travel. */
  readonly send: (to: string, text: string, file: FileView) => MessageView;
  readonly cancel: (messageId: string) => void;
}

export interface DoubleFiles {
  readonly handlers: Handlers['files'];
  readonly pipe: FileGrantPipe;
}

interface Given {
  readonly name: string;
  readonly sizeBytes: number;
  readonly contents: Blob;
}

/** Something to look at: sky, sun and hills in colours of its own. */
function paintedPicture(seed: string): string {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [800, 600];
  const context = canvas.getContext('2d');
  if (context === null) return '';
  const hue = Number.parseInt(sampleHex(seed, 4), 16) % 360;
  const sky = context.createLinearGradient(0, 0, 0, 600);
  sky.addColorStop(0, `hsl(${String(hue)} 45% 62%)`);
  sky.addColorStop(1, `hsl(${String(hue + 40)} 60% 86%)`);
  context.fillStyle = sky;
  context.fillRect(0, 0, 800, 600);
  context.fillStyle = 'hsl(45 95% 88%)';
  context.beginPath();
  context.arc(580, 190, 62, 0, 2 * Math.PI);
  context.fill();
  for (const [index, level] of [360, 430, 510].entries()) {
    context.fillStyle = `hsl(${String(hue + 160 - index * 12)} 30% ${String(44 - index * 11)}%)`;
    context.beginPath();
    context.moveTo(0, 600);
    for (let x = 0; x <= 800; x += 20) context.lineTo(x, level + Math.sin(x / (90 + index * 37) + index * 2) * (46 - index * 9));
    context.lineTo(800, 600);
    context.fill();
  }
  return canvas.toDataURL('image/jpeg', 0.85);
}

const asDataUrl = (blob: Blob): Promise<string> => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => { if (typeof reader.result === 'string') resolve(reader.result); };
  reader.onerror = () => reject(new WaypostError('file-unreadable', 'This file cannot be read.'));
  reader.readAsDataURL(blob);
});

const chosenByPerson = (): Promise<readonly File[]> => new Promise((resolve) => {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.hidden = true;
  const choose = (files: readonly File[]): void => {
    input.remove();
    resolve(files);
  };
  input.addEventListener('change', () => choose([...(input.files ?? [])]));
  input.addEventListener('cancel', () => choose([]));
  // Outside the page nothing holds it: it may be collected while the person chooses, and nothing would ever be chosen.
  document.body.append(input);
  input.click();
});

const pause = (delayMs: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, delayMs); });

export function createFiles(world: FileWorld): DoubleFiles {
  const given = new Map<string, Given>();
  const contents = new Map<string, Blob>();
  let count = 0;
  let timer: ReturnType<typeof setInterval> | undefined;

  const fileOf = (messageId: string): readonly [MessageView, FileView] => {
    const message = world.find(messageId);
    if (message.file === undefined) throw new WaypostError('not-found', 'This message carries no file.');
    return [message, message.file];
  };
  const setFile = (messageId: string, change: Partial<FileView>): void => {
    const [message, file] = fileOf(messageId);
    world.put({ ...message, file: { ...file, ...change } });
  };

  /** Everything that moves comes one tick closer; the clock stops when nothing does. */
  function tick(): void {
    const moving = world.all().filter((message) => message.file?.state.state === 'moving');
    if (moving.length === 0) {
      clearInterval(timer);
      timer = undefined;
    }
    for (const { id, file } of moving) {
      if (file?.state.state !== 'moving') continue;
      const { sizeBytes, state } = file;
      const doneBytes = Math.min(sizeBytes, Math.round(state.doneBytes + (state.bytesPerSecond * tickMs) / 1_000));
      const complete = doneBytes === sizeBytes;
      setFile(id, {
        state: complete ? { state: 'ready' } : { ...state, doneBytes, remainingMs: ((sizeBytes - doneBytes) / state.bytesPerSecond) * 1_000 },
        holders: file.holders.map((holder) => (holder.complete ? holder : { ...holder, heldBytes: doneBytes, complete })),
      });
    }
  }
  function startClock(): void {
    timer ??= setInterval(tick, tickMs);
  }
  function move(messageId: string, doneBytes: number): void {
    const [message, { sizeBytes }] = fileOf(messageId);
    const harbour = { relay: sampleKey(relayNames.harbour), relayName: relayNames.harbour };
    const own = message.direction === 'out';
    setFile(messageId, {
      state: { state: 'moving', doneBytes, bytesPerSecond: Math.max(fetchBytesPerSecond, sizeBytes / 8), remainingMs: 8_000, sources: own ? [] : [{ kind: 'relay', ...harbour }] },
      holders: own ? [{ ...harbour, heldBytes: doneBytes, complete: false }] : [],
    });
    startClock();
  }

  function grant(file: File): Reply {
    count += 1;
    const id = sampleHex(`grant ${String(count)}`, 32);
    given.set(id, { name: file.name, sizeBytes: file.size, contents: file });
    return { ok: true, value: { grant: id, name: file.name, sizeBytes: file.size } };
  }

  // Samples that move begin to when somebody looks.
  if (world.all().some((message) => message.file?.state.state === 'moving')) startClock();

  return {
    pipe: {
      grantFile: async (file) => (file.name.endsWith('.folder') ? { ok: false, error: { code: 'file-unreadable', message: `"${file.name}" is a folder. Pack it into one file and send that.` } } : grant(file)),
      pickFiles: async () => {
        const replies = (await chosenByPerson()).map(grant);
        return { ok: true, value: { files: replies.flatMap((reply) => (reply.ok ? [reply.value] : [])), problems: [] } };
      },
      releaseGrant: (id) => { given.delete(id); },
    },
    handlers: {
      send: async ({ to, file, text }) => {
        if (file.by === 'path') throw new WaypostError('refused', 'A window may not name files.');
        const found = given.get(file.grant);
        if (found === undefined) throw new WaypostError('file-unreadable', 'This file is not at hand any more. Choose it again.');
        if (found.sizeBytes > fileMaximumBytes) throw new WaypostError('file-too-large', 'This file is larger than Waypost sends.');
        await pause(200 + found.sizeBytes / sealingBytesPerMs);
        if (found.name.startsWith('unreadable')) throw new WaypostError('file-unreadable', `"${found.name}" can not be read. Check that it is still there and that you may open it.`);
        given.delete(file.grant);
        const state = found.sizeBytes > fileHeldMaximumBytes ? 'no-source' : 'letter-first';
        const message = world.send(to, text, { ...sampleFile(found.name, found.sizeBytes, { state: 'waiting', reason: state, doneBytes: 0, relayHoldsBytes: fileHeldMaximumBytes }), mediaType: mediaTypeOf(found.name) });
        contents.set(message.id, found.contents);
        if (state === 'letter-first') setTimeout(() => { move(message.id, 0); }, 3 * tickMs);
        return message;
      },
      fetch: async ({ messageId }) => {
        const [, { state }] = fileOf(messageId);
        move(messageId, state.state === 'waiting' ? state.doneBytes : 0);
      },
      pause: async ({ messageId }) => {
        const [, { state }] = fileOf(messageId);
        if (state.state === 'moving' || state.state === 'waiting') setFile(messageId, { state: { state: 'waiting', reason: 'paused', doneBytes: state.doneBytes } });
      },
      cancel: async ({ messageId }) => {
        setFile(messageId, { state: { state: 'failed', reason: 'cancelled' }, holders: [] });
        if (world.find(messageId).direction === 'out') world.cancel(messageId);
      },
      save: async ({ messageId }) => {
        const [, { name, state }] = fileOf(messageId);
        if (state.state !== 'ready') throw new WaypostError('file-not-here', 'This file is not here yet.');
        return { path: `/home/mats/Downloads/${name}` };
      },
      preview: async ({ messageId }) => {
        const [{ direction }, { mediaType, name, state }] = fileOf(messageId);
        if (!mediaType.startsWith('image/')) throw new WaypostError('invalid-argument', 'This file is not a picture.');
        if (direction === 'in' && state.state !== 'ready') throw new WaypostError('file-not-here', 'This picture is not here yet.');
        const own = contents.get(messageId);
        return { dataUrl: own === undefined ? paintedPicture(name) : (await asDataUrl(own)).replace(/^data:[^;,]*/, `data:${mediaType}`) };
      },
    },
  };
}
