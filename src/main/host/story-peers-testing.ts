/**
 * Two people in a story who have an authentic session with each other: each dials nobody by itself, and a story says when they meet, when one hears nothing of the other any
 * more, and what is not heard. One of them listens, which is what makes a session without a relay possible here.
 */
import type { CreatePeerSessions, PeerEvents, PeerPath, PeerSessions } from '../engine/overlay/peer-sessions.ts';
import type { SessionId } from '../engine/session/types.ts';
import type { VisorContext } from '../engine/visor-context.ts';
import type { Instant, PublicKeyHex } from '../engine/wire/types.ts';
import { befriend, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';

export class StoryPeers implements PeerSessions {
  readonly here = new Set<PublicKeyHex>();
  readonly wanted: PublicKeyHex[] = [];
  path: PeerPath = { kind: 'direct', relay: undefined };
  #context: VisorContext | undefined;
  #events: PeerEvents | undefined;

  /** Made anew at each start of the engine; whoever has restarted has met nobody. */
  readonly create: CreatePeerSessions = (context, events) => {
    this.#context = context;
    this.#events = events;
    this.here.clear();
    return this;
  };

  session(publicKey: PublicKeyHex): SessionId | undefined { return this.here.has(publicKey) ? this.#context?.sessions.findByIdentity(publicKey)?.id : undefined; }

  contactOf(sessionId: SessionId): PublicKeyHex | undefined {
    const identity = this.#context?.sessions.view(sessionId)?.remoteCertificate?.identity;
    return identity !== undefined && this.#context?.memory.contacts.get(identity)?.standing === 'contact' ? identity : undefined;
  }

  want(publicKey: PublicKeyHex): void { this.wanted.push(publicKey); }
  pathOf(): PeerPath { return this.path; }

  dial(to: StoryNode, now: Instant): void {
    this.#context?.sessions.dial({ address: { host: '127.0.0.1', port: to.port }, identity: to.publicKey, remoteStatic: undefined, anonymous: false }, now);
  }

  meet(publicKey: PublicKeyHex, now: Instant): void {
    this.here.add(publicKey);
    this.#events?.peerUp(publicKey, now);
  }

  part(publicKey: PublicKeyHex, now: Instant): void {
    const sessionId = this.session(publicKey);
    this.here.delete(publicKey);
    if (sessionId !== undefined) this.#events?.peerDown(publicKey, sessionId, now);
  }

  /** As if it were no peer's for a moment: a frame of the verb `letter`, made by hand. */
  get context(): VisorContext {
    if (this.#context === undefined) throw new Error('there is no engine yet');
    return this.#context;
  }
}

export interface Meeting {
  readonly world: StoryWorld;
  readonly ada: StoryNode;
  readonly bob: StoryNode;
  readonly relay: StoryNode;
  readonly ofAda: StoryPeers;
  readonly ofBob: StoryPeers;
  meet(): void;
  part(): void;
  /** Letters that were laid down for Bob. */
  deposits(): number;
}

/** Contacts with one relay for both, who have not met yet. */
export function acquaintances(): Meeting {
  const world = new StoryWorld();
  const [ofAda, ofBob] = [new StoryPeers(), new StoryPeers()];
  const relay = world.relay('relay');
  const ada = world.add('ada', { createPeerSessions: ofAda.create });
  const bob = world.add('bob', { createPeerSessions: ofBob.create, relay: true, visor: true });
  ada.addRelay(relay);
  bob.addRelay(relay);
  world.run(2 * secondMs);
  befriend(ada, bob);
  world.run(5 * secondMs);
  const settle = (): void => { for (const node of [ada, bob]) { if (!node.off) { node.engine.handleTimeout(node.now); node.drain(); } } };
  return {
    world, ada, bob, relay, ofAda, ofBob,
    meet: () => {
      ofAda.dial(bob, ada.now);
      settle();
      world.run(secondMs);
      ofAda.meet(bob.publicKey, ada.now);
      ofBob.meet(ada.publicKey, bob.now);
      if (ofAda.session(bob.publicKey) === undefined || ofBob.session(ada.publicKey) === undefined) throw new Error('they have no session');
      settle();
    },
    part: () => {
      ofAda.part(bob.publicKey, ada.now);
      ofBob.part(ada.publicKey, bob.now);
      settle();
    },
    deposits: () => relay.mail.filter(({ request }) => request.op === 'deposit' && request.mailbox.identity === bob.publicKey).length,
  };
}
