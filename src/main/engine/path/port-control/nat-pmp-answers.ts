/** What an answer of NAT-PMP's means for the round that is under way. Without a nonce it may be anybody's, so it counts only while its question is open. */
import type { NatPmpAnswer } from './nat-pmp-codec.ts';
import type { Refusal, Rounds } from './rounds.ts';
import type { Target } from './target.ts';

export function natPmpAnswered(rounds: Rounds, answer: NatPmpAnswer, target: Target, now: number): void {
  switch (answer.kind) {
    case 'unreadable': return;
    case 'unsupported-version':
      if (rounds.step?.kind !== 'pcp' || !target.isIpv4) return;
      rounds.hasAnswered = true;
      rounds.held.delete('pcp');
      rounds.method = undefined;
      rounds.move('address', now);
      return;
    case 'address': addressTold(rounds, answer, now); return;
    case 'deleted':
      if (answer.internalPort === target.localPort) rounds.deleted('nat-pmp');
      return;
    case 'refused': natPmpRefused(rounds, answer, now); return;
    case 'mapped': {
      const { host } = rounds.round;
      if (rounds.step?.kind !== 'map' || host === undefined || answer.internalPort !== target.localPort) return;
      // Between the two answers it lost its mappings, and perhaps its address with them.
      const isDoubtful = rounds.epoch.hasBegunAnew(answer.epochSeconds, 'nat-pmp', now);
      rounds.mapped({ host, port: answer.externalPort }, answer, 'nat-pmp', now);
      if (isDoubtful) rounds.notice(now);
    }
  }
}

function addressTold(rounds: Rounds, { host, epochSeconds }: NatPmpAnswer & { readonly kind: 'address' }, now: number): void {
  const step = rounds.step;
  if (step?.kind === 'address' || (step !== undefined && rounds.asksAlongside(step))) {
    rounds.answered(epochSeconds, now);
    rounds.round.host = host;
    rounds.move('map', now);
  } else if (step === undefined && rounds.method === 'nat-pmp') {
    if (host !== rounds.external?.host || rounds.epoch.hasBegunAnew(epochSeconds, 'nat-pmp', now)) rounds.notice(now);
  }
}

function natPmpRefused(rounds: Rounds, { operation, reason, epochSeconds }: NatPmpAnswer & { readonly kind: 'refused' }, now: number): void {
  const step = rounds.step;
  const refusal: Refusal = { reason, toldSeconds: undefined };
  if (step?.kind === 'delete' && operation === 'map') rounds.deleted('nat-pmp');
  else if (step?.kind === operation) {
    rounds.answered(epochSeconds, now);
    rounds.held.delete('nat-pmp');
    rounds.refused(refusal, now);
  } else if (step !== undefined && operation === 'address' && rounds.asksAlongside(step)) {
    // PCP may still have better news.
    rounds.round.refusal = refusal;
  }
}
