/**
 * What people do with files in one seed: they send some, to one friend or the same to two, fetch what is offered, and pause, resume and cancel now
 * and then. Disks fail for files alone. All of it draws from a stream of its own, so that the story of the letters is what it would be without files.
 */
import { createToken, fileNameOf, textOf } from './letter-text.ts';
import type { SimNode } from './node.ts';
import type { Population } from './population.ts';
import type { SeededRandom } from './random.ts';
import { setupMs, type Story } from './story.ts';
import type { SimWorld } from './world.ts';
import type { SealedFile } from '../src/main/engine/command-types.ts';
import type { BlobRequest } from '../src/main/engine/files/blob-store.ts';
import type { FileRow } from '../src/main/engine/mail/visor-store.ts';

/** Letters of a seed have smaller numbers. */
const firstFileNumber = 50_000;
const defaultTtlSeconds = 14 * 86_400;
/** In one of them in the middle, more than what is asked for ahead of the disk. */
const largestBytes = 3_000_000;

export class FileLife {
  readonly #story: Story;
  readonly #population: Population;
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  readonly #sealed: { readonly by: SimNode; readonly file: SealedFile; readonly content: Uint8Array }[] = [];
  #files = 0;

  constructor(story: Story, population: Population) {
    this.#story = story;
    this.#population = population;
    this.#world = story.world;
    this.#random = story.world.random.fork('files');
  }

  get sent(): number { return this.#files; }

  plan(): void {
    const random = this.#random;
    for (let count = random.chance(0.8) ? random.integer(1, 5) : 0; count > 0; count -= 1) this.#sometime(() => { this.#sendOne(); });
    for (let count = random.integer(2, 10); count > 0; count -= 1) this.#sometime(() => { this.#doSomething(); });
    if (random.chance(0.4)) for (let count = random.integer(1, 6); count > 0; count -= 1) this.#sometime(() => { this.#failDisk(); });
  }

  /** All is well: whoever still waits for something asks for it, unless it was to stay where it is. */
  settle(): void {
    for (const visor of this.#world.visors) {
      for (const row of this.#rows(visor)) {
        if (row.stage === 'offered' || (row.stage === 'paused' && this.#random.chance(0.7))) this.#story.people.insist(visor, { name: 'fetch-file', messageId: row.messageId }, undefined, 380);
      }
    }
  }

  #sometime(run: () => void): void { this.#world.queue.at(this.#random.between(setupMs, this.#story.endMs), run); }

  #rows(visor: SimNode): readonly FileRow[] { return this.#world.checker.files.rowsOf(visor.name); }

  #sendOne(): void {
    const random = this.#random;
    const pair = random.pick(this.#population.friends);
    if (pair === undefined) return;
    const [from, to] = random.chance(0.5) ? [pair.left, pair.right] : [pair.right, pair.left];
    if (!from.isAwake || this.#world.contact(from, to) === undefined) return;
    const again = random.chance(0.15) ? random.pick(this.#sealed.filter(({ by }) => by === from)) : undefined;
    // Each sending seals a copy of its own, since that of an earlier one may be deleted by now; one that is sent to two at once is one copy.
    const { file, content } = this.#seal(from, again?.content ?? this.#marked(this.#sizeBytes()));
    this.#send(from, to, file, content);
    if (random.chance(0.1)) this.#send(from, this.#anotherFriend(from, to) ?? to, file, content);
    if (random.chance(0.2)) {
      this.#world.queue.after(random.logarithmic(1, 60_000), () => {
        const sealed = this.#seal(from, content);
        this.#send(from, this.#anotherFriend(from, to) ?? to, sealed.file, content);
      });
    }
    // Something happens to it while it moves.
    if (random.chance(0.5)) this.#world.queue.after(random.logarithmic(50, 30_000), () => { this.#act(random.chance(0.5) ? from : to); });
    if (random.chance(0.2)) this.#world.queue.after(random.logarithmic(50, 30_000), () => { this.#story.takeDown(random.chance(0.5) ? from : to, random.logarithmic(200, 60_000), random.chance(0.2)); });
  }

  #anotherFriend(of: SimNode, not: SimNode): SimNode | undefined {
    const friends = this.#population.friends.flatMap(({ left, right }) => (left === of ? [right] : right === of ? [left] : []));
    return this.#random.pick(friends.filter((friend) => friend !== not));
  }

  #sizeBytes(): number {
    const random = this.#random;
    const kind = random.fraction();
    if (kind < 0.08) return 0;
    if (kind < 0.7) return Math.floor(random.logarithmic(1, 100_000));
    return kind < 0.95 ? random.integer(60_000, 700_000) : random.integer(700_000, largestBytes);
  }

  /** Any packet that shows a part of the beginning is found out. */
  #marked(sizeBytes: number): Uint8Array {
    const content = this.#random.bytes(sizeBytes);
    content.set(Buffer.from(textOf(createToken(firstFileNumber, this.#random), 2_000), 'latin1').subarray(0, sizeBytes));
    return content;
  }

  /** As the host does it before the engine hears of it. */
  #seal(by: SimNode, content: Uint8Array): { readonly file: SealedFile; readonly content: Uint8Array } {
    const key = this.#random.bytes(32);
    const { root, blobBytes } = by.disk.blobs['own-blobs'].addFile(key, content);
    const file: SealedFile = { name: '', mediaType: this.#random.chance(0.3) ? 'image/png' : 'application/octet-stream', sizeBytes: content.length, key, root, blobBytes };
    this.#sealed.push({ by, file, content });
    return { file, content };
  }

  #send(from: SimNode, to: SimNode, file: SealedFile, content: Uint8Array): void {
    const random = this.#random;
    if (!from.isAwake) return;
    this.#files += 1;
    const token = createToken(firstFileNumber + this.#files, random);
    const ttlSeconds = random.chance(0.85) ? undefined : random.integer(60, 600);
    const ttlMs = (ttlSeconds ?? defaultTtlSeconds) * 1_000;
    const { letters, files } = this.#world.checker;
    letters.asked({ token, sender: from.name, recipient: to.name, ttlMs });
    files.asked({ token, sender: from.name, senderKey: from.publicKey, recipient: to.name, recipientKey: to.publicKey, ttlMs, content, key: file.key, root: file.root, blobBytes: file.blobBytes });
    from.command({ name: 'send-file', to: to.publicKey, port: 1, text: textOf(token, 40), ttlSeconds, file: { ...file, name: fileNameOf(token) } }, (reply) => {
      if (reply?.ok === true && reply.value !== undefined && 'messageId' in reply.value) letters.answered(token, reply.value.messageId);
    });
  }

  #doSomething(): void {
    const visor = this.#random.pick(this.#world.visors);
    if (visor !== undefined) this.#act(visor);
  }

  #act(visor: SimNode): void {
    const random = this.#random;
    const rows = this.#rows(visor).filter(({ stage }) => stage !== 'ready' || random.chance(0.1));
    const row = random.pick(rows);
    if (row === undefined || !visor.isAwake) return;
    const { messageId } = row;
    const kind = random.fraction();
    if (row.stage === 'wanted' && kind < 0.55) {
      visor.command({ name: 'pause-file', messageId });
      // At the next moment, or when it has long been forgotten.
      if (random.chance(0.8)) this.#world.queue.after(random.logarithmic(1, 200_000), () => { visor.command({ name: 'fetch-file', messageId }); });
    } else if (kind < 0.75) {
      visor.command({ name: 'fetch-file', messageId });
    } else if (kind < 0.95) {
      this.#world.checker.files.cancelAsked(visor.name, messageId);
      visor.command({ name: 'cancel-file', messageId });
      if (random.chance(0.3)) this.#world.queue.after(random.logarithmic(1, 60_000), () => { visor.command({ name: 'fetch-file', messageId }); });
    } else if (row.direction === 'out') {
      this.#world.checker.files.cancelAsked(visor.name, messageId);
      visor.command({ name: 'cancel', messageId }, (reply) => {
        if (reply?.ok === true) this.#world.checker.letters.cancelAnswered(visor.name, messageId);
      });
    }
  }

  #failDisk(): void {
    const random = this.#random;
    const node = random.pick(this.#world.machines);
    if (node === undefined) return;
    const failure = random.chance(0.6) ? 'disk-full' : 'io';
    const operations = random.shuffled<BlobRequest['op']>(failure === 'io' ? ['begin', 'write', 'checkpoint', 'complete', 'read', 'read-record'] : ['begin', 'write', 'checkpoint', 'complete']).slice(0, random.integer(1, 4));
    node.disk.failBlobs(operations, failure);
    this.#world.trace.line(node.name, `disk fails for files: ${failure} at ${operations.join(', ')}`);
    this.#world.queue.after(random.logarithmic(500, 300_000), () => { node.disk.failBlobs([], failure); });
  }
}
