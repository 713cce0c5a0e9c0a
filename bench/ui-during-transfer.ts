/**
 * Whether the window stays smooth while a file comes in: the built app on its host receives a file that a relay holds, as fast as it comes, with the conversation and its
 * progress card in sight. The page's frame intervals and the main process's event-loop delay, at rest and during a transfer, in turns.
 */
import path from 'node:path';
import type { ElectronApplication, Page } from '@playwright/test';
import { writeContent } from '../scripts/file-transfer/content.ts';
import { formatRelayHint } from '../src/main/engine/wire/relay-hint.ts';
import { hostKind, launchApplication, mainWindow } from '../e2e/fixture.ts';
import { AddFriendScreen } from '../e2e/screens/add-friend.ts';
import { ChatsScreen } from '../e2e/screens/chats.ts';
import { FilesScreen } from '../e2e/screens/files.ts';
import { FrameScreen } from '../e2e/screens/frame.ts';
import { RelaysScreen } from '../e2e/screens/relays.ts';
import { WelcomeScreen } from '../e2e/screens/welcome.ts';
import { Correspondent, median, percentile } from './correspondents.ts';
import { removeFolder, startRelay, temporaryFolder } from './relay-process.ts';
import type { Figure } from './run.ts';

const files = 3;
const sizeBytes = 512 * 1_048_576;
const heldMaximum = '4GiB';
/** At least as long as a transfer takes. */
const restMs = 5_000;
const deadlineMs = 300_000;
/** Until the window has shown what is new. */
const settleMs = 2_000;

interface Window { readonly application: ElectronApplication; readonly page: Page }
interface Loop { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number }
interface Stretch { readonly frames: readonly number[]; readonly loop: Loop; readonly tookMs: number }

/** Begins to note frames in the page and delays in the main process. */
async function watch({ application, page }: Window): Promise<() => Promise<Omit<Stretch, 'tookMs'>>> {
  await application.evaluate(() => {
    // The host evaluates without `require`.
    const { monitorEventLoopDelay } = process.getBuiltinModule('node:perf_hooks');
    const histogram = monitorEventLoopDelay({ resolution: 1 });
    histogram.enable();
    Reflect.set(globalThis, 'benchDelay', histogram);
  });
  await page.evaluate(() => {
    const intervals: number[] = [];
    let last = performance.now();
    let going = true;
    const frame = (now: number): void => {
      intervals.push(now - last);
      last = now;
      if (going) requestAnimationFrame(frame);
    };
    requestAnimationFrame((now) => { last = now; requestAnimationFrame(frame); });
    Reflect.set(globalThis, 'benchFrames', () => { going = false; return intervals; });
  });
  return async () => {
    const frames = await page.evaluate(() => (Reflect.get(globalThis, 'benchFrames') as () => number[])());
    const loop = await application.evaluate(() => {
      const histogram = Reflect.get(globalThis, 'benchDelay') as { disable(): void; percentile(share: number): number; readonly max: number };
      histogram.disable();
      return { p50Ms: histogram.percentile(50) / 1e6, p99Ms: histogram.percentile(99) / 1e6, maxMs: histogram.max / 1e6 };
    });
    return { frames, loop };
  };
}

async function stretch(window: Window, during: () => Promise<void>): Promise<Stretch> {
  const end = await watch(window);
  const startedMs = performance.now();
  await during();
  const tookMs = performance.now() - startedMs;
  return { ...await end(), tookMs };
}

async function transfers(window: Window, bob: Correspondent, to: string, folder: string): Promise<Record<'rest' | 'busy', Stretch[]>> {
  const screen = new FilesScreen(window.page);
  const found = { rest: [] as Stretch[], busy: [] as Stretch[] };
  for (let index = 0; index < files; index += 1) {
    const name = `film-${String(index)}.bin`;
    const file = path.join(folder, name);
    await writeContent(file, name, sizeBytes);
    const messageId = await bob.text({ ask: 'send-file', to, path: file });
    await bob.ask({ ask: 'held', messageId });
    const card = await screen.message(name);
    const download = screen.action(card, /^Download /);
    await download.waitFor({ timeout: deadlineMs });
    await settled(window.page, settleMs);
    found.rest.push(await stretch(window, () => settled(window.page, restMs)));
    found.busy.push(await stretch(window, async () => {
      await download.click();
      await screen.action(card, 'Save as…').waitFor({ timeout: deadlineMs });
    }));
  }
  return found;
}

/** A new identity with this relay and a friend; resolves, with the friend's conversation open, to what the friend calls the other one. */
async function begin(page: Page, relay: string, bob: Correspondent): Promise<string> {
  const [welcome, frame, relays, friends, chats] = [new WelcomeScreen(page), new FrameScreen(page), new RelaysScreen(page), new AddFriendScreen(page), new ChatsScreen(page)];
  await welcome.title.waitFor();
  await welcome.createIdentity('Ada');
  await welcome.readWords();
  await welcome.saveWordsLater();
  await frame.open('Relays');
  await relays.add(relay);
  await relays.rows.filter({ hasText: 'Connected' }).first().waitFor();
  await frame.open('Chats');
  const link = await friends.shareOwnLink();
  await frame.closeDialog();
  const to = await bob.text({ ask: 'befriend', link });
  await chats.open(bob.name);
  return to;
}

const settled = (page: Page, forMs: number): Promise<void> => page.waitForTimeout(forMs);

export async function uiDuringTransfer(): Promise<readonly Figure[]> {
  const folder = temporaryFolder();
  const relay = await startRelay('--hold-per-recipient', heldMaximum);
  const bob = await Correspondent.start(folder, 'bob');
  const application = await launchApplication({ userDataDirectory: path.join(folder, 'ada') });
  try {
    await bob.join(relay.hint);
    const page = await mainWindow(application);
    const to = await begin(page, formatRelayHint(relay.hint), bob);
    const { rest, busy } = await transfers({ application, page }, bob, to, folder);
    const frames = (stretches: readonly Stretch[], share: number): number => median(stretches.map((one) => percentile(one.frames, share)));
    const loop = (stretches: readonly Stretch[], of: (loop: Loop) => number): number => median(stretches.map((one) => of(one.loop)));
    const [restP99, busyP99] = [loop(rest, ({ p99Ms }) => p99Ms), loop(busy, ({ p99Ms }) => p99Ms)];
    for (const [kind, stretches] of Object.entries({ rest, busy })) {
      process.stderr.write(`${kind}: ${stretches.map((one) => `${(one.tookMs / 1_000).toFixed(1)} s, ${String(one.frames.length)} frames p99 ${percentile(one.frames, 0.99).toFixed(1)}, longest ${Math.max(...one.frames).toFixed(1)}, loop p99 ${one.loop.p99Ms.toFixed(1)}, longest ${one.loop.maxMs.toFixed(1)} ms`).join('; ')}\n`);
    }
    return [
      { name: `frame interval p99, during a transfer / at rest (${hostKind})`, value: frames(busy, 0.99) / frames(rest, 0.99), unit: 'x', aim: 'at most 1.5' },
      { name: '  frame interval at rest, p50', value: frames(rest, 0.5), unit: 'ms', aim: 'none' },
      { name: '  frame interval at rest, p99', value: frames(rest, 0.99), unit: 'ms', aim: 'none' },
      { name: '  frame interval during a transfer, p50', value: frames(busy, 0.5), unit: 'ms', aim: 'none' },
      { name: '  frame interval during a transfer, p99', value: frames(busy, 0.99), unit: 'ms', aim: 'none' },
      { name: "main process's event loop delay p99, above rest", value: busyP99 - restP99, unit: 'ms', aim: 'under 10' },
      { name: '  at rest, p50', value: loop(rest, ({ p50Ms }) => p50Ms), unit: 'ms', aim: 'none' },
      { name: '  at rest, p99', value: restP99, unit: 'ms', aim: 'none' },
      { name: '  during a transfer, p50', value: loop(busy, ({ p50Ms }) => p50Ms), unit: 'ms', aim: 'none' },
      { name: '  during a transfer, p99', value: busyP99, unit: 'ms', aim: 'none' },
      { name: '  speed of the file meanwhile', value: sizeBytes / median(busy.map(({ tookMs }) => tookMs)) / 1_000, unit: 'MB/s', aim: 'none' },
    ];
  } finally {
    await application.close();
    bob.stop();
    relay.stop();
    removeFolder(folder);
  }
}
