/** The words for relays, and for what this computer carries for friends. Pure, as sentences.ts is. */
import { countOf, durationWords, relativeWords, remainingWords, sizeWords } from './quantities.ts';
import type { CarryingView, RelayView } from './relay-views.ts';
import { type ToneSentence, asSentence } from './sentences.ts';

/** What a friend carries for us with. */
export const friendsWaypost = (name: string | undefined): string => (name === undefined || name === '' ? 'a friend’s Waypost' : `${name}’s Waypost`);

/** What it means that a relay is reached so. */
export const overTcpConsequence = 'Over TCP, because UDP does not get through: one lost packet holds up all that follow it, and contacts are reached through relays alone. Waypost goes back to UDP as soon as it works.';

/** Those in use, the most preferred first; then those that are being left, then the banned. */
export function relayInOrder(one: RelayView, other: RelayView): number {
  const group = ({ choice, leavingUntilMs }: RelayView): number => (choice === 'banned' ? 2 : leavingUntilMs === undefined ? 0 : 1);
  return group(one) - group(other) || (one.place ?? Number.MAX_SAFE_INTEGER) - (other.place ?? Number.MAX_SAFE_INTEGER);
}

/** What the state of a relay means, with since when or why. */
export function relaySentence(relay: RelayView, nowMs: number): ToneSentence {
  if (relay.choice === 'banned') return { tone: 'muted', sentence: 'Banned. Nothing is sent there, and mail that waits there is not fetched.' };
  if (relay.leavingUntilMs !== undefined) {
    const doing = relay.state === 'connected' ? 'Messages that wait or arrive there are still fetched' : 'It does not answer; messages that wait there are fetched if it does';
    return { tone: 'muted', sentence: `Removed. ${doing}, for ${remainingWords(relay.leavingUntilMs - nowMs)} at most.` };
  }
  const problem = relay.problem === '' ? '' : ` ${asSentence(relay.problem)}`;
  switch (relay.state) {
    case 'connected': {
      const how = relay.isOverTcp === true ? 'Connected over TCP' : 'Connected';
      return { tone: relay.isOverTcp === true ? 'warning' : 'good', sentence: relay.sinceMs === undefined ? how : `${how} for ${durationWords(nowMs - relay.sinceMs)}` };
    }
    case 'connecting': return { tone: 'warning', sentence: `Connecting.${problem}` };
    case 'unreachable': {
      const heard = relay.lastHeardMs === undefined ? '' : ` Last heard ${relativeWords(relay.lastHeardMs, nowMs)}.`;
      return { tone: 'warning', sentence: `Does not answer.${problem}${heard}` };
    }
    case 'refused': return { tone: 'danger', sentence: problem === '' ? 'Refused this identity.' : `Refused.${problem}` };
    case 'idle': return { tone: 'muted', sentence: 'Ready, not in use now' };
  }
}

/** What kind of relay it is, in a word or two. */
export function relayTag(relay: RelayView): string {
  if (relay.leavingUntilMs !== undefined) return 'removed';
  switch (relay.role) {
    case 'own': return 'yours';
    case 'local': return 'inside this app';
    case 'friend': return relay.carriedBy === undefined ? 'carried by a friend' : `carried by ${relay.carriedBy}`;
  }
}

/** What this computer carries for friends, or why it does not. */
export function carryingSentence(carrying: CarryingView): ToneSentence {
  switch (carrying.state) {
    case 'off': return { tone: 'muted', sentence: 'This computer carries for nobody.' };
    case 'checking': return { tone: 'muted', sentence: 'Waypost finds out whether others can reach this computer.' };
    case 'unreachable': return { tone: 'warning', sentence: 'Others cannot reach this computer from outside, so it carries for nobody.' };
    case 'failed': return { tone: 'danger', sentence: 'The relay for friends did not start, so this computer carries for nobody. Perhaps another program uses its port.' };
    case 'on': {
      if (carrying.members === 0) return { tone: 'good', sentence: 'Ready to carry for friends, as soon as you have some.' };
      const held = carrying.letters === 0 ? '' : ` It has taken ${countOf(carrying.letters, 'message', 'messages')} for them since it began.`;
      return { tone: 'good', sentence: `Carries for ${countOf(carrying.members, 'friend', 'friends')}. In the last hour: ${sizeWords(carrying.hourBytes)} of at most ${sizeWords(carrying.hourMaximumBytes)}.${held}` };
    }
  }
}
