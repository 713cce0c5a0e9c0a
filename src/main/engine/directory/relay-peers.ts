/**
 * Sessions of a relay with the peers that its operator named, kept on demand: dialled when there is a question, closed after a minute without one. They carry no
 * certificate, as those of visors that deposit do not: nothing is given for who asks.
 */
import { askRelay, type RelayAnswer } from './ask-relay.ts';
import { RelayLinks, type RelayLink } from '../overlay/relay-links.ts';
import type { HostNames } from '../overlay/host-names.ts';
import type { SessionOutput } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, PublicKeyHex, RelayHint } from '../wire/types.ts';
import { questionMs, type PeerAnswers } from './peer-questions.ts';

/** Each question costs each of them a look into its store. */
export const relayPeersMaximum = 8;

export class RelayPeers implements PeerAnswers {
  readonly #context: VisorContext;
  readonly #hints: readonly RelayHint[];
  readonly #links: RelayLinks;

  constructor(context: VisorContext, names: HostNames, hints: readonly RelayHint[]) {
    this.#context = context;
    this.#hints = hints.filter((hint) => hint.publicKey !== context.publicKey).slice(0, relayPeersMaximum);
    this.#links = new RelayLinks(context, names, {
      up: () => undefined,
      down: (link, now) => { this.#lost(link, now); },
      leaving: () => undefined,
      isCarrying: () => false,
      isHearsay: () => false,
    });
  }

  get count(): number { return this.#hints.length; }

  ask(peer: number, identity: PublicKeyHex, now: Instant, done: (answer: RelayAnswer, now: Instant) => void): void {
    const hint = this.#hints[peer];
    const link = hint === undefined ? undefined : this.#links.deposit(hint, now);
    if (link === undefined) { done({ kind: 'silent' }, now); return; }
    this.#links.whenUp(link, questionMs, now, (up, at) => {
      const leftMs = questionMs - (at.monotonicMs - now.monotonicMs);
      if (!up || link.sessionId === undefined || leftMs <= 0) done({ kind: 'silent' }, at);
      else askRelay(this.#context, link.sessionId, identity, false, leftMs, at, done);
    });
  }

  /** True when it was about one of these sessions. */
  handleSession(output: SessionOutput, now: Instant): boolean { return this.#links.handleSession(output, now); }
  handleTimeout(now: Instant): void { this.#links.handleTimeout(now); }
  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined { return this.#links.pollTimeout(); }
  networkChanged(now: Instant): void { this.#links.networkChanged(now); }

  stop(now: Instant): void {
    for (const link of this.#links.all) if (link.sessionId !== undefined) this.#context.sessions.close(link.sessionId, now);
  }

  #lost(link: RelayLink, now: Instant): void {
    if (link.sessionId !== undefined) this.#context.directed.sessionLost(link.sessionId, now);
  }
}
