/** The report on the network as a list of questions with three answers: yes, no, and not checked. Unknown is never shown as no. Pure. */
import { countOf, durationWords } from '../../../shared/quantities.ts';
import { relaySentence } from '../../../shared/relay-sentences.ts';
import type { ConnectionView } from '../../../shared/views.ts';
import type { RelayView } from '../../../shared/relay-views.ts';

export type Answer = 'yes' | 'no' | 'not checked';
export interface Check {
  readonly question: string;
  readonly answer: Answer;
  /** What it means and what can be done. */
  readonly detail: string;
}

const notChecked = (question: string, detail: string): Check => ({ question, answer: 'not checked', detail });

function redundancy(connection: ConnectionView): Check {
  const question = 'Two relays are connected';
  const enough = connection.relaysConnected >= 2;
  const detail = enough ? 'One may fail without you noticing.' : connection.relaysConfigured < 2 ? 'Add a second relay, so that one may fail.' : `Waypost keeps trying the others (${String(connection.relaysConnected)} of ${countOf(connection.relaysConfigured, 'relay', 'relays')} connected).`;
  return { question, answer: enough ? 'yes' : 'no', detail };
}

function clock(connection: ConnectionView): Check {
  const question = 'The clock of this computer is right';
  if (connection.clockOffsetMs !== undefined) {
    const direction = connection.clockOffsetMs > 0 ? 'behind' : 'ahead of';
    return { question, answer: 'no', detail: `It is ${durationWords(Math.abs(connection.clockOffsetMs))} ${direction} your relays. Waypost allows for it; set the clock to be sure that times are shown right.` };
  }
  return connection.relaysConnected === 0 ? notChecked(question, 'A relay is needed to compare with.') : { question, answer: 'yes', detail: 'It agrees with your relays to the minute.' };
}

function relayCheck(relay: RelayView, nowMs: number): Check {
  const question = `${relay.name} answers`;
  const detail = relaySentence(relay, nowMs).sentence;
  switch (relay.state) {
    case 'connected': return { question, answer: 'yes', detail };
    case 'unreachable':
    case 'refused': return { question, answer: 'no', detail };
    case 'connecting':
    case 'idle': return { question, answer: 'not checked', detail };
  }
}

export function networkChecklist(connection: ConnectionView, relays: readonly RelayView[], nowMs: number): readonly Check[] {
  const online = connection.relaysConnected > (connection.relaysOverTcp ?? 0);
  const tried = relays.some((relay) => relay.state === 'unreachable');
  return [
    online ? { question: 'UDP gets through', answer: 'yes', detail: 'Relays answer over UDP.' }
      : connection.isUdpBlocked === true && connection.relaysConnected > 0 ? { question: 'UDP gets through', answer: 'no', detail: 'Relays answer over TCP alone. Waypost goes on over TCP, and asks again every half minute.' }
      : notChecked('UDP gets through', tried ? 'No relay answers, so it cannot be told whether UDP is blocked or the network is gone.' : 'No relay has been tried yet.'),
    ...relays.filter((relay) => relay.leavingUntilMs === undefined).map((relay) => relayCheck(relay, nowMs)),
    redundancy(connection),
    clock(connection),
    { question: 'This disk can be written', answer: connection.kind === 'storage-failed' ? 'no' : 'yes', detail: connection.kind === 'storage-failed' ? 'Free some space. Nothing new is saved or sent until then.' : 'Messages are saved before they are shown.' },
  ];
}
