/** Where a message has been and what is still to come, hop by hop. */
import { ArrowUpRight, CheckCheck, CircleAlert, CircleDashed, CircleSlash, Download, Hourglass, Lock, MailCheck, MailX, Save, ShieldCheck, type LucideIcon } from 'lucide-react';
import { useEffect, useState } from 'react';
import { exactWords, momentWords, relativeWords } from '../../../shared/quantities.ts';
import { headlineSentence, messageSummary } from '../../../shared/sentences.ts';
import { hopDetails, hopTitle } from '../../../shared/hop-sentences.ts';
import type { HopView, MessageView } from '../../../shared/views.ts';
import { navigation } from '../../navigation.ts';
import { errorSentence, useServices } from '../../services.tsx';
import { useStore } from '../../store.ts';
import { Button } from '../../ui/button.tsx';
import { Drawer, hopDrawerTitle } from '../../ui/drawer.tsx';
import { useNow } from '../../ui/use-now.ts';
import './hoplog.css';

const icons: Readonly<Record<HopView['kind'], LucideIcon>> = {
  saved: Save, sealed: Lock, tried: ArrowUpRight, held: MailCheck, lost: MailX, fetched: Download, delivered: CheckCheck, read: CheckCheck,
  expires: Hourglass, expired: Hourglass, unconfirmed: Hourglass, cancelled: CircleSlash, failed: CircleAlert, received: Download, opened: ShieldCheck,
};

function toneOf(hop: HopView): string {
  if (hop.future) return 'future';
  if (hop.kind === 'failed') return 'danger';
  return hop.kind === 'delivered' || hop.kind === 'read' || hop.kind === 'opened' ? 'good' : 'past';
}

function findMessage(pages: Readonly<Record<string, { readonly messages: readonly MessageView[] }>> | undefined, id: string): MessageView | undefined {
  for (const page of Object.values(pages ?? {})) {
    const found = page.messages.find((message) => message.id === id);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function HopDrawer({ messageId }: { readonly messageId: string }) {
  const { client, run } = useServices();
  const [hops, setHops] = useState<readonly HopView[] | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const nowMs = useNow(1_000 * 5);
  const message = useStore((state) => findMessage(state.live?.pages, messageId));
  // Every new version of the message may have a new hop behind it; the old rows stay until the new ones are here.
  useEffect(() => {
    let gone = false;
    client.messages.hops({ messageId }).then((result) => { if (!gone) setHops(result.hops); }, (thrown: unknown) => { if (!gone) setProblem(errorSentence(thrown)); });
    return () => { gone = true; };
  }, [client, messageId, message]);

  const state = message?.headline.state;
  const cancellable = state === 'queued' || state === 'sending' || state === 'stored';
  return (
    <Drawer title={hopDrawerTitle} onClose={() => navigation.closeDrawer()}>
      {message === undefined ? null : (
        <section>
          <p className="drawer__quote">{messageSummary(message)}</p>
          {message.direction === 'out' ? <p>{headlineSentence(message.headline, nowMs)}</p> : null}
        </section>
      )}
      {problem === undefined ? null : <p className="field__error" role="alert">{problem}</p>}
      <ol className="hops" aria-label="Hop log" aria-busy={hops === undefined}>
        {(hops ?? []).map((hop, index) => <Hop key={`${hop.kind} ${String(index)}`} hop={hop} nowMs={nowMs} sentAtMs={message?.sentAtMs} beforeFuture={hops?.[index + 1]?.future === true} />)}
      </ol>
      {cancellable || state === 'failed' ? (
        <div className="row row--wrap">
          <Button onClick={() => { void run(() => client.messages.retry({ messageId })); }}>{state === 'failed' ? 'Try again' : 'Try now'}</Button>
          {cancellable ? <Button onClick={() => { void run(() => client.messages.cancel({ messageId })); }}>Cancel message</Button> : null}
        </div>
      ) : null}
    </Drawer>
  );
}

function Hop({ hop, nowMs, sentAtMs, beforeFuture }: { readonly hop: HopView; readonly nowMs: number; readonly sentAtMs: number | undefined; readonly beforeFuture: boolean }) {
  const Icon = hop.future && hop.kind !== 'expires' ? CircleDashed : icons[hop.kind];
  // How long the message was given: what is left of it is never shown as more.
  const setMs = hop.kind === 'expires' && sentAtMs !== undefined ? hop.atMs - sentAtMs : undefined;
  const when = hop.future && hop.kind === 'delivered' ? 'When they are online' : hop.future ? relativeWords(hop.atMs, nowMs, setMs) : momentWords(hop.atMs, nowMs);
  return (
    <li className={`hop hop--${toneOf(hop)}${beforeFuture ? ' hop--before-future' : ''}`}>
      <span className="hop__icon"><Icon size={16} strokeWidth={1.75} aria-hidden /></span>
      <div>
        <div className="hop__title">{hop.future ? <span className="visually-hidden">Still to come: </span> : null}{hopTitle(hop)}</div>
        <div className="hop__detail"><time className="numeric" dateTime={new Date(hop.atMs).toISOString()} title={exactWords(hop.atMs)}>{when}</time></div>
        {hopDetails(hop, nowMs).map((line) => <div key={line} className="hop__detail">{line}</div>)}
      </div>
    </li>
  );
}
