/** The report on the connection: what works, what does not, what nobody has checked; downgrades in force; raw counters. */
import { RotateCw } from 'lucide-react';
import { useEffect, useState } from 'react';
import { connectionSentence } from '../../../shared/sentences.ts';
import { durationWords } from '../../../shared/quantities.ts';
import { navigation } from '../../navigation.ts';
import { errorSentence, useServices } from '../../services.tsx';
import { useView } from '../../store.ts';
import { Dot } from '../../ui/bits.tsx';
import { Button } from '../../ui/button.tsx';
import { useNow } from '../../ui/use-now.ts';
import { Page } from '../frame/page.tsx';
import { CheckRow } from './check-row.tsx';
import { networkChecklist } from './checklist.ts';
import { LocalNetwork } from './local-network.tsx';
import { Notices } from './notices.tsx';
import { YourNetwork } from './your-network.tsx';
import './network.css';

export function NetworkPage() {
  const { client, run } = useServices();
  const connection = useView((view) => view.connection);
  const relays = useView((view) => view.relays);
  const nowMs = useNow();
  const [busy, setBusy] = useState(false);
  const { tone, sentence } = connectionSentence(connection);
  const retry = (): void => {
    setBusy(true);
    void run(async () => {
      await client.network.retryNow();
      navigation.toast('good', 'Trying all paths and all that waits again.');
    }).finally(() => setBusy(false));
  };
  return (
    <Page title="Network" lead="What Waypost knows about your connection. What it has not checked is marked so." actions={<Button icon={RotateCw} disabled={busy} title="Try again now (F5)" onClick={retry}>Try again now</Button>}>
      <div className="page__column">
        <p className="status"><Dot tone={tone} />{sentence}</p>
        <Notices />
        <ul className="card checklist" aria-label="Network checklist">{networkChecklist(connection, relays, nowMs).map((check) => <CheckRow key={check.question} {...check} />)}</ul>
        <LocalNetwork />
        <YourNetwork />
        <RawReport />
      </div>
    </Page>
  );
}

interface Statistics {
  readonly counters: Readonly<Record<string, number>>;
  readonly uptimeMs: number;
  readonly listen: string;
}

function RawReport() {
  const { client } = useServices();
  const [open, setOpen] = useState(false);
  const [statistics, setStatistics] = useState<Statistics | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  useEffect(() => {
    if (!open) return;
    let gone = false;
    client.visor.statistics().then((result) => { if (!gone) setStatistics(result); }, (thrown: unknown) => { if (!gone) setProblem(errorSentence(thrown)); });
    return () => { gone = true; };
  }, [client, open]);
  return (
    <details className="raw" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Raw counters</summary>
      {problem === undefined ? null : <p className="field__error">{problem}</p>}
      {statistics === undefined ? null : (
        <dl className="facts numeric">
          <dt>Running for</dt><dd>{durationWords(statistics.uptimeMs)}</dd>
          <dt>Listening on</dt><dd>{statistics.listen}</dd>
          {Object.entries(statistics.counters).map(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name} value`}>{value.toLocaleString('en-GB')}</dd>])}
        </dl>
      )}
    </details>
  );
}
