/** Where one fault of the fault table happens: two visors with two relays of their own, in the middle of a conversation, and the places in between that something can be done to. */
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../scripts/processes/waiting.ts';
import { isStraight, type PeerPathView } from '../../src/shared/peer-views.ts';
import { Letters } from './lab-letters.ts';
import { goOnline } from './lab-meeting.ts';
import { runInside } from './lab-nft.ts';
import { LabVisor, startRelay, type LabRelay } from './lab-visor.ts';
import type { Lab, RouterItem } from './lab.ts';

const relayPort = 7_400;
const observePort = 7_401;
const pathPatienceMs = 30_000;
const sessionPatienceMs = 20_000;
/** Of a conversation without a fault, before each. */
const calmMs = 2_000;

/** Which path the conversation is on when the fault begins; on `relay` both hide their addresses, and stay there. */
export type ConversationPath = 'direct' | 'relay';

/** The names of the nodes of a cell in one run: what a fault did to them is not undone. */
export interface Places {
  readonly left: string;
  readonly right: string;
  /** The left one is a public host where it has none. */
  readonly leftRouter: string | undefined;
  readonly rightRouter: string;
  readonly relays: readonly [string, string];
  /** A public host that takes no part. */
  readonly stranger: string;
}

/** Of one run of a cell. Names of nodes are short: they become parts of the names of namespaces. */
export function placesOf(number: number, run: number, isLeftPublic: boolean): Places {
  const id = `f${String(number)}-${String(run)}`;
  return { left: `${id}-left`, right: `${id}-right`, leftRouter: isLeftPublic ? undefined : `${id}-r0`, rightRouter: `${id}-r1`, relays: [`${id}-relay1`, `${id}-relay2`], stranger: `${id}-third` };
}

export function routersOf({ left, right, leftRouter, rightRouter }: Places): readonly RouterItem[] {
  const router = (name: string, host: string): RouterItem => ({ name, kind: 'port-restricted', hosts: [host], options: {} });
  return [...(leftRouter === undefined ? [] : [router(leftRouter, left)]), router(rightRouter, right)];
}

export const publicHostsIn = ({ left, leftRouter, relays, stranger }: Places): readonly string[] => [...relays, stranger, ...(leftRouter === undefined ? [left] : [])];

/** A relay that can be killed and started again with what it kept. */
export class RelaySeat {
  readonly host: string;
  readonly #lab: Lab;
  readonly #folder: string;
  readonly #observePort: number;
  #relay: LabRelay | undefined;
  #publicKey = '';

  constructor(lab: Lab, host: string, folder: string, isObserving: boolean) {
    this.#lab = lab;
    this.host = host;
    this.#folder = folder;
    this.#observePort = isObserving ? observePort : 0;
  }

  get publicKey(): string { return this.#publicKey; }
  get isRunning(): boolean { return this.#relay?.isEnded === false; }
  get address(): string { return this.#lab.addresses(this.host)[0] ?? ''; }
  get port(): number { return relayPort; }
  get hint(): string { return `${this.#publicKey}@${this.address}:${String(relayPort)}`; }

  async start(): Promise<void> {
    this.#relay = await startRelay(this.#lab, this.host, this.#folder, relayPort, this.#observePort);
    this.#publicKey = this.#relay.publicKey;
  }

  async kill(): Promise<void> { await this.#relay?.stop(); }
}

export interface SceneOptions {
  readonly lab: Lab;
  readonly places: Places;
  readonly folder: string;
  readonly conversation: ConversationPath;
  readonly fillerCharacters: number;
}

export class FaultScene {
  readonly lab: Lab;
  readonly places: Places;
  /** Of its own, gone after it. */
  readonly folder: string;
  readonly relays: readonly [RelaySeat, RelaySeat];
  left: LabVisor;
  right: LabVisor;
  readonly toLeft: Letters;
  readonly toRight: Letters;
  readonly #directories: readonly [string, string];

  private constructor({ lab, places, folder, fillerCharacters }: SceneOptions, relays: readonly [RelaySeat, RelaySeat], visors: readonly [LabVisor, LabVisor], directories: readonly [string, string]) {
    this.lab = lab;
    this.places = places;
    this.folder = folder;
    this.relays = relays;
    [this.left, this.right] = visors;
    this.#directories = directories;
    this.toLeft = new Letters(this.right, this.left, fillerCharacters);
    this.toRight = new Letters(this.left, this.right, fillerCharacters);
  }

  /** Ends when the conversation has been calm for a while on the path that is wanted. @throws Error when it does not come to that. */
  static async open(options: SceneOptions): Promise<FaultScene> {
    const { lab, places, folder, conversation } = options;
    const relays = [new RelaySeat(lab, places.relays[0], folder, true), new RelaySeat(lab, places.relays[1], folder, false)] as const;
    const started: { stop(): Promise<void> }[] = relays.map((relay) => ({ stop: () => relay.kill() }));
    try {
      await Promise.all(relays.map((relay) => relay.start()));
      const directories = [path.join(folder, places.left), path.join(folder, places.right)] as const;
      const start = async (host: string, directory: string): Promise<LabVisor> => {
        const visor = await LabVisor.start(lab, host, directory);
        started.push(visor);
        return visor;
      };
      const visors = await Promise.all([start(places.left, directories[0]), start(places.right, directories[1])]);
      const scene = new FaultScene(options, relays, visors, directories);
      await scene.#meet(conversation);
      return scene;
    } catch (error) {
      await Promise.all(started.map((each) => each.stop()));
      throw error;
    }
  }

  async #meet(conversation: ConversationPath): Promise<void> {
    const { left, right } = this;
    if (conversation === 'relay') await Promise.all([left, right].map(({ client }) => client.settings.update({ hideAddress: true })));
    await Promise.all([left, right].map((visor) => goOnline(visor, this.relays.map(({ hint }) => hint))));
    const { link } = await left.client.invites.create();
    await right.client.contacts.add({ link });
    this.toLeft.start();
    await until('the right one to be a contact of the left one', sessionPatienceMs, async () => (await left.client.state.snapshot()).view.conversations.some(({ publicKey }) => publicKey === right.publicKey) ? true : undefined);
    this.toRight.start();
    await until(`a ${conversation} path on both sides`, pathPatienceMs, async () => {
      const kinds = (await this.paths()).map((current) => current?.kind);
      return kinds.every((kind) => (conversation === 'relay' ? kind === 'relay' : kind !== undefined && isStraight(kind))) ? true : undefined;
    });
    await pause(calmMs);
  }

  /** The path in use, left and right. */
  async paths(): Promise<readonly (PeerPathView | undefined)[]> {
    return Promise.all([[this.left, this.right] as const, [this.right, this.left] as const].map(async ([own, other]) => {
      const { peers } = await own.client.peers.list();
      return peers.find(({ publicKey }) => publicKey === other.publicKey)?.paths[0];
    }));
  }

  /** Which relay carries what the left one sends. @throws Error when none does. */
  async relayInUse(): Promise<RelaySeat> {
    const [current] = await this.paths();
    const relay = this.relays.find(({ publicKey }) => publicKey === current?.relay);
    if (relay === undefined) throw new Error('the conversation is not on a relay');
    return relay;
  }

  /** The left one's router. @throws Error where it has none. */
  get leftRouter(): string {
    if (this.places.leftRouter === undefined) throw new Error('the left one is a public host');
    return this.places.leftRouter;
  }

  addressOf(node: string): string { return this.lab.addresses(node)[0] ?? ''; }

  inside(host: string, words: readonly string[], input?: string): string { return runInside(this.lab, host, words, input); }

  /** The right one comes back, with all it had. */
  async startRightAgain(): Promise<void> {
    this.right = await LabVisor.again(this.lab, this.places.right, this.#directories[1], this.right.publicKey);
    this.toRight.arriveAt(this.right);
    this.toLeft.comeFrom(this.right);
  }

  async close(): Promise<void> {
    await Promise.all([this.left.stop(), this.right.stop(), ...this.relays.map((relay) => relay.kill())]);
  }
}
