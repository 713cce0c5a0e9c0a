/** The report on the network as the command line prints it. Pure. */
import type { CheckedNetworkView } from '../../shared/network-report-schema.ts';
import type { Candidate, NetworkReport } from '../../shared/network-report.ts';
import { networkFacts } from '../../shared/network-facts.ts';
import { networkLines, notCheckedWords } from '../../shared/network-sentences.ts';
import { countOf, relativeWords, roundTripWords } from '../../shared/quantities.ts';
import { connectionSentence } from '../../shared/sentences.ts';
import type { ConnectionView } from '../../shared/views.ts';

/** Relays and what was not checked come in lists of their own. */
const isSaidBelow = (code: string): boolean => code.startsWith('relay.') || code.startsWith('not-checked.');
const candidateWords: Readonly<Record<Candidate['kind'], string>> = { host: 'this computer', mapped: 'opened by the router', reflexive: 'as relays see it' };

/** Columns of a list, each as wide as its longest word. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, index) => Math.max(most[index] ?? 0, cell.length)), []);
  return rows.map((row) => `  ${row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('  ')}`.trimEnd());
}

export function doctorWords({ report, checkedAtMs }: CheckedNetworkView, connection: ConnectionView, nowMs: number): string {
  const sentences = networkLines(report).filter(({ code }) => !isSaidBelow(code)).map(({ sentence }) => sentence);
  const none = connection.relaysConfigured === 0 ? 'There is no relay yet that could tell anything. Add one: waypost relays add KEY@HOST:PORT' : 'Nothing is known yet about this network.';
  const overTcp = connection.relaysOverTcp === undefined ? [] : [`${countOf(connection.relaysOverTcp, 'relay is', 'relays are')} reached over TCP, because UDP does not get there. ${connectionSentence(connection).sentence}.`];
  return [
    ...(sentences.length === 0 && overTcp.length === 0 ? [none] : sentences), ...overTcp,
    '', 'Checked:', ...aligned(networkFacts(report).map(({ answer, promise, detail }) => [answer, promise, detail])),
    '', 'Relays:', ...(report.relays.length === 0 ? ['  none'] : aligned(report.relays.map(({ relay, roundTripMs }) => [relay, roundTripMs.state === 'known' ? roundTripWords(roundTripMs.value) : notCheckedWords(roundTripMs.reason)]))),
    '', 'Where others may reach this computer:', ...(report.candidates.length === 0 ? ['  nowhere yet'] : aligned(report.candidates.map((candidate) => [placeOf(candidate), candidateWords[candidate.kind]]))),
    ...(nowMs - checkedAtMs < 2_000 ? [] : ['', `Checked ${relativeWords(checkedAtMs, nowMs)}.`]),
  ].join('\n');
}

/** A port that differs for everybody is not told. */
const placeOf = ({ host, port, isPortSure }: Candidate): string => `${host.includes(':') ? `[${host}]` : host}:${isPortSure ? String(port) : '(differs)'}`;

/** Whether anything outside answered. */
export const hasAnswer = ({ relays }: NetworkReport): boolean => relays.some(({ roundTripMs }) => roundTripMs.state === 'known');
