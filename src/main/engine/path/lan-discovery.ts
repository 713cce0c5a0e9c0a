/**
 * Contacts in the same local network find each other without any relay, and without the Internet.
 *
 * WHAT IS SAID. A visor asks into the network who of its contacts is there: a *question* to a multicast group, with a tag for each that only that contact can tell from a random
 * number (lan-tags.ts). Who recognises one remembers where the other is (a *sighting*), and sends an *answer* there, from the socket that everything goes through. Who gets the
 * answer knows the same of the other side. A *knock* goes before a handshake, so that the other side, which answers handshakes from nobody whom it has not seen, has seen us.
 *
 * WHEN. At the start, when the network changed, when somebody is looked for, and every minute or two as long as there are contacts who are not reached in this network. A question is
 * asked three times at first: radio networks lose what goes to everybody.
 *
 * WHAT OTHERS CAN DO WITH IT. Nobody is answered whose tag and proof are not those of a contact, so that strangers learn that a visor is here and no more. A question that is
 * sent again later counts as long as its tags do, and has its answer sent to where the question was asked first, for the address is part of the proof; an answer is good for ten
 * seconds after the question, once; a knock is good at the address that it was sent to. A contact gets one answer a second. None of it is believed further than a few datagrams go: a handshake proves who is there.
 */
import { Deadlines } from '../deadlines.ts';
import { randomFraction } from '../random.ts';
import { equalBytes } from '../wire/bytes.ts';
import { decodeLanAnnouncement, encodeLanAnnouncement, lanEntriesMaximum, lanNonceBytes, type LanAnnouncement, type LanEntry } from '../wire/lan-announcement.ts';
import { sameAddress, type Instant, type PublicKeyHex, type SocketAddress } from '../wire/types.ts';
import { LanTags, type LanClaim, type LanContact } from './lan-tags.ts';
import { isAttached, isSameNetwork, type LanFacts, type LanNetwork } from './lan-network.ts';
import type { Crypto, KeyPair, RandomBytes } from '../crypto.ts';

/** Between two questions while somebody is missing. */
const questionEveryMs = 60_000;
const questionJitterMs = 60_000;
/** However often there is a reason. */
const questionGapMs = 5_000;
/** After the first one. */
const repeatsMs = [1_500, 6_000] as const;
/** A round trip in a network that is busy. */
const answerWithinMs = 10_000;
const answerGapMs = 1_000;
const knockRepeatsMs = [700, 2_500] as const;
/** Some questions may be missed before somebody counts as gone. */
const sightedForMs = 300_000;
/** Addresses at which one contact is seen: of both families, by cable and by air. */
const placesMaximum = 4;
/** Datagrams that are looked at in a second, at some 20 microseconds each: whoever wants to keep us from seeing our contacts has to send a megabyte a second. */
const datagramsPerSecond = 1_000;
/** Each costs an agreement on keys, once. */
const contactsMaximum = 1_024;
/** To one interface at once; others have their turn with the next question. */
const datagramsPerQuestion = 4;
/** Contacts may come and go without a word to us: the table is made anew for a datagram when it is that old. */
const tableFreshMs = 5_000;

export interface LanEnvironment {
  readonly crypto: Crypto;
  readonly random: RandomBytes;
  ownKeys(): KeyPair;
  /** Accepted ones whose device is known. */
  contacts(): Iterable<LanContact>;
  /** The setting, and that the person does not want to be hidden. */
  isWanted(): boolean;
  untrusted(): readonly LanNetwork[];
  /** Whether they are reached in this network already. */
  isNear(publicKey: PublicKeyHex, now: Instant): boolean;
  /** `isNew`: they were not seen there in the last minutes. */
  found(publicKey: PublicKeyHex, address: SocketAddress, isNew: boolean, now: Instant): void;
  /** To everybody in that interface's network. */
  announce(fromHost: string, datagram: Uint8Array): void;
  transmit(to: SocketAddress, datagram: Uint8Array): void;
  wallMs(now: Instant): number;
  count(counter: string): void;
}

/** `no-network`: nobody could be near. */
export type LanState = 'on' | 'off' | 'untrusted' | 'no-network';

interface Place { readonly address: SocketAddress; seenMs: number }

export class LanDiscovery {
  readonly #environment: LanEnvironment;
  readonly #tags: LanTags;
  readonly #deadlines = new Deadlines();
  readonly #places = new Map<PublicKeyHex, Place[]>();
  readonly #answeredMs = new Map<PublicKeyHex, number>();
  #facts: LanFacts = { port: undefined, interfaces: [], networks: [] };
  #questions: { readonly nonce: Uint8Array; readonly askedMs: number; readonly answered: Set<PublicKeyHex> }[] = [];
  #askedMs = -Infinity;
  #tableMs = -Infinity;
  /** Which contacts are named next where there are too many for one question. */
  #turn = 0;
  #second = { beganMs: -Infinity, datagrams: 0 };

  constructor(environment: LanEnvironment) {
    this.#environment = environment;
    this.#tags = new LanTags(environment.crypto);
  }

  get state(): LanState {
    if (!this.#environment.isWanted()) return 'off';
    if (this.#facts.port === undefined || this.#facts.interfaces.length === 0) return 'no-network';
    return this.isTrusted ? 'on' : 'untrusted';
  }

  get networks(): readonly LanNetwork[] { return this.#facts.networks; }

  /** Being in one that is not trusted is enough. */
  get isTrusted(): boolean {
    const untrusted = this.#environment.untrusted();
    return !this.#facts.networks.some((network) => untrusted.some((one) => isSameNetwork(one, network)));
  }

  /** Contacts seen in this network in the last minutes. */
  foundCount(now: Instant): number { return [...this.#places.keys()].filter((publicKey) => this.at(publicKey, now) !== undefined).length; }

  // --- inputs -----------------------------------------------------------------------------------------------------------------

  /** At the start, and when the network may be another one: whoever was seen was seen there. */
  handleFacts(facts: LanFacts, now: Instant): void {
    this.#facts = facts;
    this.#begin(now);
  }

  /** A setting, or whether this network is trusted, is another one. */
  settingsChanged(now: Instant): void { this.#begin(now); }

  /** @param socket `group`: it was sent to everybody. */
  handleDatagram(from: SocketAddress, datagram: Uint8Array, socket: 'group' | 'main', now: Instant): void {
    if (this.state !== 'on') return;
    if (!this.#mayLook(now)) { this.#environment.count('lan.drop.rate'); return; }
    const announcement = decodeLanAnnouncement(datagram);
    if (announcement === undefined || (announcement.kind === 'question') !== (socket === 'group')) { this.#environment.count('lan.drop.malformed'); return; }
    if (!isAttached(from.host, this.#facts.interfaces)) { this.#environment.count('lan.drop.elsewhere'); return; }
    this.#update(now, tableFreshMs);
    for (const entry of announcement.entries) {
      const publicKey = this.#tags.saidBy(entry.tag);
      // One device says one thing in one datagram.
      if (publicKey !== undefined) { this.#recognised(publicKey, from, announcement, entry, now); return; }
    }
  }

  handleTimeout(now: Instant): void {
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) {
      const [name = '', publicKey = ''] = key.split(' ');
      if (name === 'knock') {
        const place = this.at(publicKey, now);
        if (place !== undefined && !this.#environment.isNear(publicKey, now)) this.#knock(publicKey, place);
      } else this.#ask(now);
    }
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: `lan ${next.key.split(' ')[0] ?? ''}` };
  }

  // --- for those who look for somebody ----------------------------------------------------------------------------------------

  /** Where they were seen last. */
  at(publicKey: PublicKeyHex, now: Instant): SocketAddress | undefined {
    const places = this.#places.get(publicKey) ?? [];
    return this.state === 'on' ? places.filter(({ seenMs }) => isFresh(seenMs, now)).sort((one, other) => other.seenMs - one.seenMs)[0]?.address : undefined;
  }

  /** Somebody has to do with them now. */
  seek(now: Instant): void {
    if (this.state === 'on') this.#deadlines.set('soon', Math.max(now.monotonicMs, this.#askedMs + questionGapMs));
  }

  /** So that they expect us. Said again, for what is lost would keep us out. */
  knock(publicKey: PublicKeyHex, address: SocketAddress, now: Instant): void {
    this.#update(now, tableFreshMs);
    this.#knock(publicKey, address);
    for (const [index, afterMs] of knockRepeatsMs.entries()) this.#deadlines.set(`knock ${publicKey} ${String(index)}`, now.monotonicMs + afterMs);
  }

  /** Nobody answered there. */
  forget(publicKey: PublicKeyHex, address: SocketAddress): void {
    const left = (this.#places.get(publicKey) ?? []).filter((place) => !sameAddress(place.address, address));
    if (left.length === 0) this.#places.delete(publicKey);
    else this.#places.set(publicKey, left);
  }

  /** Whether a handshake from there is to be looked at; with an identity, whether it is one from them. */
  expects(from: SocketAddress, identity: PublicKeyHex | undefined, now: Instant): boolean {
    if (this.state !== 'on' || (identity !== undefined && !this.#places.has(identity))) return false;
    for (const [publicKey, places] of this.#places) {
      if ((identity === undefined || identity === publicKey) && places.some(({ address, seenMs }) => isFresh(seenMs, now) && sameAddress(address, from))) return true;
    }
    return false;
  }

  // --- inside -----------------------------------------------------------------------------------------------------------------

  #begin(now: Instant): void {
    this.#places.clear();
    this.#questions = [];
    for (const key of ['soon', 'again', 'repeat 0', 'repeat 1']) this.#deadlines.clear(key);
    if (this.state === 'on') {
      // Not at once: the sockets of the host are being opened.
      this.#deadlines.set('soon', now.monotonicMs + 200);
      for (const [index, afterMs] of repeatsMs.entries()) this.#deadlines.set(`repeat ${String(index)}`, now.monotonicMs + 200 + afterMs);
    }
  }

  #update(now: Instant, freshMs: number): void {
    if (now.monotonicMs - this.#tableMs < freshMs) return;
    this.#tableMs = now.monotonicMs;
    const environment = this.#environment;
    this.#tags.update(environment.ownKeys(), firstOf(environment.contacts(), contactsMaximum), environment.wallMs(now));
  }

  #ask(now: Instant): void {
    if (this.state !== 'on') return;
    this.#deadlines.set('again', now.monotonicMs + questionEveryMs + questionJitterMs * randomFraction(this.#environment.random));
    this.#update(now, 0);
    const missing = [...this.#tags.contacts].filter((publicKey) => !this.#environment.isNear(publicKey, now));
    // Who is reached here is here: when that ends for want of anything to say, it is nothing new that they are.
    for (const [publicKey, places] of this.#places) if (!missing.includes(publicKey)) for (const place of places) if (isFresh(place.seenMs, now)) place.seenMs = now.monotonicMs;
    const { port, interfaces } = this.#facts;
    if (missing.length === 0 || port === undefined) return;
    this.#askedMs = now.monotonicMs;
    const nonce = this.#environment.random(lanNonceBytes);
    this.#questions = [...this.#questions.filter(({ askedMs }) => now.monotonicMs - askedMs < answerWithinMs), { nonce, askedMs: now.monotonicMs, answered: new Set() }];
    const atOnce = Math.min(missing.length, datagramsPerQuestion * lanEntriesMaximum);
    const named = Array.from({ length: atOnce }, (_, index) => missing[(this.#turn + index) % missing.length] ?? '');
    this.#turn = (this.#turn + atOnce) % missing.length;
    for (const { host } of interfaces) {
      const claim: LanClaim = { kind: 'question', nonce, port, host };
      for (let first = 0; first < named.length; first += lanEntriesMaximum) {
        const entries = named.slice(first, first + lanEntriesMaximum).flatMap((publicKey) => this.#tags.entry(publicKey, claim) ?? []);
        this.#environment.announce(host, encodeLanAnnouncement({ kind: 'question', port, nonce, entries }, this.#environment.random));
      }
    }
    this.#environment.count('lan.asked');
  }

  #recognised(publicKey: PublicKeyHex, from: SocketAddress, announcement: LanAnnouncement, entry: LanEntry, now: Instant): void {
    const { kind, nonce, port } = announcement;
    const question = kind === 'answer' ? this.#questions.find((one) => equalBytes(one.nonce, nonce) && now.monotonicMs - one.askedMs < answerWithinMs) : undefined;
    const isProved = kind === 'knock' ? this.#facts.interfaces.some(({ host }) => this.#tags.isProved(publicKey, entry, { kind, nonce, port, host }))
      : this.#tags.isProved(publicKey, entry, { kind, nonce, port, host: kind === 'question' ? from.host : undefined });
    // What comes from the main socket shows its port itself.
    if (!isProved || (kind !== 'question' && from.port !== port) || (kind === 'answer' && (question === undefined || question.answered.size > contactsMaximum))) {
      this.#environment.count('lan.drop.unproved');
      return;
    }
    const address = { host: from.host, port };
    const isAnswered = question?.answered.has(publicKey) === true;
    const isNew = this.#saw(publicKey, address, now);
    question?.answered.add(publicKey);
    this.#environment.count(`lan.${kind}`);
    if (kind === 'question') this.#answer(publicKey, address, nonce, now);
    // Who knocks is about to dial, and who is asked waits for the one who asked: one side does it.
    if (kind === 'knock' || isAnswered) return;
    this.#environment.found(publicKey, address, isNew && kind === 'answer', now);
  }

  /** True: they were not seen there lately. */
  #saw(publicKey: PublicKeyHex, address: SocketAddress, now: Instant): boolean {
    const places = (this.#places.get(publicKey) ?? []).filter(({ seenMs }) => isFresh(seenMs, now));
    const known = places.find((place) => sameAddress(place.address, address));
    if (known !== undefined) { known.seenMs = now.monotonicMs; return false; }
    this.#places.set(publicKey, [{ address, seenMs: now.monotonicMs }, ...places].slice(0, placesMaximum));
    return true;
  }

  #answer(publicKey: PublicKeyHex, address: SocketAddress, nonce: Uint8Array, now: Instant): void {
    if (now.monotonicMs - (this.#answeredMs.get(publicKey) ?? -Infinity) < answerGapMs) return;
    if (this.#answeredMs.size > contactsMaximum) this.#answeredMs.clear();
    this.#answeredMs.set(publicKey, now.monotonicMs);
    this.#say(publicKey, address, { kind: 'answer', nonce, host: undefined });
  }

  #knock(publicKey: PublicKeyHex, address: SocketAddress): void {
    this.#say(publicKey, address, { kind: 'knock', nonce: this.#environment.random(lanNonceBytes), host: address.host });
  }

  #say(publicKey: PublicKeyHex, address: SocketAddress, { kind, nonce, host }: Omit<LanClaim, 'port'>): void {
    const { port } = this.#facts;
    const entry = port === undefined ? undefined : this.#tags.entry(publicKey, { kind, nonce, port, host });
    if (port !== undefined && entry !== undefined) this.#environment.transmit(address, encodeLanAnnouncement({ kind, port, nonce, entries: [entry] }, this.#environment.random));
  }

  #mayLook(now: Instant): boolean {
    if (now.monotonicMs - this.#second.beganMs >= 1_000) this.#second = { beganMs: now.monotonicMs, datagrams: 0 };
    this.#second.datagrams += 1;
    return this.#second.datagrams <= datagramsPerSecond;
  }
}

const isFresh = (seenMs: number, now: Instant): boolean => now.monotonicMs - seenMs < sightedForMs;

function* firstOf<Item>(items: Iterable<Item>, maximum: number): Iterable<Item> {
  let count = 0;
  for (const item of items) {
    if (count >= maximum) return;
    count += 1;
    yield item;
  }
}
