/** What the last check found out about the network: in a sentence, fact by fact, how fast relays answer, and where others may reach this computer. */
import { Radar } from 'lucide-react';
import { useState } from 'react';
import { networkFacts } from '../../../shared/network-facts.ts';
import type { Candidate, RelayRoundTrip } from '../../../shared/network-report.ts';
import type { CheckedNetworkView } from '../../../shared/network-report-schema.ts';
import { networkLines, notCheckedWords } from '../../../shared/network-sentences.ts';
import { roundTripWords } from '../../../shared/quantities.ts';
import { useServices } from '../../services.tsx';
import { useView } from '../../store.ts';
import { Dot } from '../../ui/bits.tsx';
import { Button } from '../../ui/button.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import { CheckRow } from './check-row.tsx';

const candidateWords: Readonly<Record<Candidate['kind'], string>> = { host: 'this computer', mapped: 'opened by the router', reflexive: 'as relays see it' };

export function YourNetwork() {
  const { client, run } = useServices();
  const network = useView((view) => view.network);
  const [busy, setBusy] = useState(false);
  const check = (): void => {
    setBusy(true);
    void run(() => client.network.check()).finally(() => setBusy(false));
  };
  return (
    <section className="stack" aria-labelledby="your-network" aria-busy={busy}>
      <div className="your-network__header">
        <h2 id="your-network">Your network</h2>
        {network === undefined ? null : <span className="muted">Checked <RelativeTime atMs={network.checkedAtMs} /></span>}
        <Button icon={Radar} disabled={busy} onClick={check}>{busy ? 'Checking' : network === undefined ? 'Check now' : 'Check again'}</Button>
      </div>
      <p role="status" className={busy ? 'your-network__progress muted' : 'visually-hidden'}>{busy ? 'Asking your relays and your router. This takes a few seconds.' : ''}</p>
      {network === undefined ? <p className="muted">Not checked yet. Waypost checks by itself soon after a relay is connected.</p> : <Report {...network} />}
    </section>
  );
}

function Report({ report }: CheckedNetworkView) {
  const [headline] = networkLines(report);
  return (
    <>
      {headline === undefined ? null : <p className="status"><Dot tone={headline.tone} />{headline.sentence}</p>}
      <ul className="card checklist" aria-label="What was found out about your network">
        {networkFacts(report).map(({ code, promise, answer, detail }) => <CheckRow key={code} question={promise} answer={answer} detail={detail} />)}
      </ul>
      {report.relays.length === 0 ? null : (
        <div className="card">
          <h3 className="your-network__title">How fast relays answer</h3>
          <dl className="facts numeric">{report.relays.map((relay) => <RoundTrip key={relay.relay} {...relay} />)}</dl>
        </div>
      )}
      <details className="raw">
        <summary>Where others may reach this computer</summary>
        {report.candidates.length === 0 ? <p className="muted">Nothing is known yet.</p> : <ul className="candidates numeric">{report.candidates.map((candidate) => <Place key={`${candidate.kind} ${candidate.host} ${String(candidate.port)}`} {...candidate} />)}</ul>}
      </details>
    </>
  );
}

function RoundTrip({ relay, roundTripMs }: RelayRoundTrip) {
  return <><dt>{relay}</dt><dd>{roundTripMs.state === 'known' ? roundTripWords(roundTripMs.value) : <span className="muted">{notCheckedWords(roundTripMs.reason)}</span>}</dd></>;
}

/** A port that is another one for everybody is not told. */
function Place({ kind, host, port, isPortSure }: Candidate) {
  const address = host.includes(':') ? `[${host}]` : host;
  return <li>{isPortSure ? `${address}:${String(port)}` : `${address}, the port differs`} <span className="muted">{candidateWords[kind]}</span></li>;
}
