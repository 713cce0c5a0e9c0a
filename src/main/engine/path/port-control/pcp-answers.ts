/** What an answer of PCP's means for the round that is under way. An announcement, or an answer to nothing that is open, is at most a reason to ask again. */
import { equalBytes } from '../../wire/bytes.ts';
import { pcpVersion, type PcpAnswer, type PcpEcho } from './pcp-codec.ts';
import type { Refusal, Rounds } from './rounds.ts';
import type { Target } from './target.ts';

export function pcpAnswered(rounds: Rounds, answer: PcpAnswer, target: Target, now: number): void {
  switch (answer.kind) {
    case 'unreadable': return;
    case 'other-version': versionRefused(rounds, answer.version, target, now); return;
    case 'announced':
      if (rounds.epoch.hasBegunAnew(answer.epochSeconds, 'pcp', now)) rounds.notice(now);
      return;
    case 'deleted':
      if (isOurs(answer.echo, target)) rounds.deleted('pcp');
      return;
    case 'refused':
      if (isOurs(answer.echo, target)) pcpRefused(rounds, answer, target, now);
      return;
    case 'mapped':
      if (!isOurs(answer.echo, target) || rounds.step?.kind === 'delete') return;
      // An old answer, or the gateway tells of itself that its address changed.
      if (rounds.step === undefined || rounds.method === 'nat-pmp') rounds.noticeExternal(answer.external, 'pcp', now);
      else rounds.mapped(answer.external, answer, 'pcp', now);
  }
}

function pcpRefused(rounds: Rounds, { reason, lifetimeSeconds, epochSeconds }: PcpAnswer & { readonly kind: 'refused' }, target: Target, now: number): void {
  if (rounds.step?.kind === 'delete') rounds.deleted('pcp');
  if (rounds.step?.kind !== 'pcp') return;
  rounds.answered(epochSeconds, now);
  rounds.held.delete('pcp');
  const refusal: Refusal = { reason, toldSeconds: lifetimeSeconds };
  if (reason === 'unsupported' && target.isIpv4) {
    rounds.round.refusal = refusal;
    rounds.move('address', now);
  } else rounds.refused(refusal, now);
}

/** Said by version 2 to NAT-PMP, or by others to PCP; NAT-PMP's own word has another form. */
function versionRefused(rounds: Rounds, version: number, target: Target, now: number): void {
  const refusal: Refusal = { reason: 'unsupported', toldSeconds: undefined };
  switch (rounds.step?.kind) {
    case 'pcp':
      // To the question that goes along.
      if (version === pcpVersion) return;
      rounds.hasAnswered = true;
      rounds.held.delete('pcp');
      rounds.round.refusal = refusal;
      if (target.isIpv4) rounds.move('address', now);
      else rounds.refused(refusal, now);
      return;
    case 'address':
    case 'map':
      rounds.hasAnswered = true;
      rounds.held.delete('nat-pmp');
      rounds.method = undefined;
      if (version === pcpVersion && rounds.round.refusal === undefined) rounds.move('pcp', now);
      else rounds.refused(rounds.round.refusal ?? refusal, now);
      return;
    case 'delete':
    case undefined: return;
  }
}

function isOurs({ nonce, internalPort }: PcpEcho, target: Target): boolean {
  return internalPort === target.localPort && equalBytes(nonce, target.nonce);
}
