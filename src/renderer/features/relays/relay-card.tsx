/** One relay: how it is doing, what the person said about it, and what can be done with it. */
import { ArrowDown, ArrowUp, Ban, ChevronDown, FlaskConical, Pin, Trash2 } from 'lucide-react';
import { useId, useState, type KeyboardEvent } from 'react';
import { roundTripWords } from '../../../shared/quantities.ts';
import { mailboxShare, mailboxWords } from '../../../shared/relay-capabilities.ts';
import { relayProblemSentence, relayTestsSentence, type RelayTestsView } from '../../../shared/relay-tests.ts';
import { overTcpConsequence, relaySentence, relayTag } from '../../../shared/relay-sentences.ts';
import type { RelayView } from '../../../shared/relay-views.ts';
import { matches, shortcuts } from '../../keys.ts';
import { useStore } from '../../store.ts';
import { Dot } from '../../ui/bits.tsx';
import { Button, IconButton } from '../../ui/button.tsx';
import { RoundTrips } from '../../ui/round-trips.tsx';
import { useNow } from '../../ui/use-now.ts';
import { isBanned, isBeingLeft, isInUse, type Direction, type Move } from './order.ts';
import { RelayAbout } from './relay-about.tsx';
import { RelayTrial } from './relay-trial.tsx';

/** From here on a full mailbox is near enough to say so. */
const nearlyFullShare = 0.8;

export interface RelayActions {
  readonly onRemove: (relay: RelayView) => void;
  readonly onBan: (relay: RelayView) => void;
  readonly onChoose: (relay: RelayView, choice: 'pinned' | 'normal') => void;
  readonly onTest: (relay: RelayView) => void;
  readonly onMove: (relay: RelayView, direction: Direction) => void;
}
interface RelayCardProps extends RelayActions {
  readonly relay: RelayView;
  readonly moves: Readonly<Record<Direction, Move>>;
}

export const moveButtonId = (publicKey: string, direction: Direction): string => `move-${direction}-${publicKey}`;

/** What letters that Waypost sends to itself say about the relay. */
function RelayTests({ tests, isPinned }: { readonly tests: RelayTestsView; readonly isPinned: boolean }) {
  const problem = relayProblemSentence(tests, useNow());
  return (
    <>
      <p className="relay__tests" title="Waypost now and then leaves a small sealed letter for itself at the relay and sees whether it comes back.">{relayTestsSentence(tests)}</p>
      {problem === undefined ? null : <p className="relay__problem"><Dot tone={tests.standing === 'demoted' ? 'danger' : tests.standing === 'trial' ? 'warning' : 'muted'} /><span>{problem}{isPinned && tests.standing !== 'reliable' ? ' It keeps its place, since you pinned it.' : ''}</span></p>}
    </>
  );
}

function Mailbox({ mailbox }: { readonly mailbox: NonNullable<RelayView['mailbox']> }) {
  const share = mailboxShare(mailbox);
  const isNearlyFull = share >= nearlyFullShare;
  return (
    <p className={isNearlyFull ? 'relay__problem' : 'relay__tests'}>
      {isNearlyFull ? <Dot tone="warning" /> : null}
      <span>{share >= 1 ? 'Your mailbox there is full' : isNearlyFull ? 'Your mailbox there is nearly full' : 'Your mailbox there'}: {mailboxWords(mailbox)}.</span>
    </p>
  );
}

function tagOf(relay: RelayView): string {
  if (isBanned(relay)) return 'banned';
  return relayTag(relay);
}

export function RelayCard({ relay, moves, onRemove, onBan, onChoose, onTest, onMove }: RelayCardProps) {
  const { tone, sentence } = relaySentence(relay, useNow());
  const [isOpen, setOpen] = useState(false);
  const [hiddenTestMs, setHiddenTest] = useState<number | undefined>(undefined);
  const aboutId = useId();
  const platform = useStore((state) => state.account?.platform ?? '');
  const { name, place, trial, choice, role } = relay;
  const number = (value: number | undefined): string => (value === undefined ? 'not measured' : roundTripWords(value));
  const canChoose = isInUse(relay) && role === 'own';
  const move = (event: KeyboardEvent): void => {
    for (const [direction, { keys }] of [['up', shortcuts.relayUp], ['down', shortcuts.relayDown]] as const) {
      if (!canChoose || !matches(event, keys, platform)) continue;
      event.preventDefault();
      onMove(relay, direction);
    }
  };
  if (isBanned(relay)) return (
    <li className="card relay relay--banned" aria-label={name}>
      <div className="relay__main">
        <div className="relay__name"><h2>{name}</h2><span className="tag">banned</span></div>
        <p className="relay__state"><Dot tone={tone} /><span>{sentence}</span></p>
      </div>
      <div className="relay__banned-actions">
        <Button size="small" aria-label={`Use ${name} again`} onClick={() => onChoose(relay, 'normal')}>Use again</Button>
        <IconButton icon={Trash2} label={`Forget ${name}`} onClick={() => onRemove(relay)} />
      </div>
    </li>
  );
  return (
    <li className="card relay" aria-label={name} onKeyDown={move}>
      <div className="relay__main">
        <div className="relay__name">
          <span className="relay__title">
            {place === undefined || role === 'local' ? null : <span className="relay__place" role="img" aria-label={`Place ${String(place + 1)}`}>{place + 1}</span>}
            <h2>{name}</h2>
          </span>
          {choice === 'pinned' ? <span className="tag tag--accent"><Pin size={12} strokeWidth={2} aria-hidden />pinned</span> : null}
          <span className="tag">{tagOf(relay)}</span>
          {canChoose && relay.isTold === false ? <span className="tag" title="Your friends are told of the first three.">not told to others</span> : null}
        </div>
        <p className="relay__state" title={relay.isOverTcp === true ? overTcpConsequence : undefined}><Dot tone={tone} /><span>{sentence}</span></p>
        {relay.tests === undefined ? null : <RelayTests tests={relay.tests} isPinned={choice === 'pinned'} />}
        {relay.mailbox === undefined ? null : <Mailbox mailbox={relay.mailbox} />}
        {relay.address === name ? null : <p className="relay__address">{relay.address}</p>}
      </div>
      <div className="relay__chart"><RoundTrips samples={relay.roundTripsMs} /></div>
      <dl className="relay__numbers">
        <div><dt title="Half of all round trips are faster">Typical</dt><dd>{number(relay.p50Ms)}</dd></div>
        <div><dt title="19 of 20 round trips are faster">Slow</dt><dd>{number(relay.p95Ms)}</dd></div>
        <div><dt title="Messages this relay holds for you">Waiting</dt><dd>{relay.waitingLetters === undefined ? 'not asked' : relay.waitingLetters.toLocaleString('en-GB')}</dd></div>
      </dl>
      <div className="relay__tools">
        {isInUse(relay) ? <Button size="small" icon={FlaskConical} aria-label={trial?.isRunning === true ? `Testing ${name}` : `Test ${name} now`} aria-disabled={trial?.isRunning === true} onClick={() => { if (trial?.isRunning !== true) onTest(relay); }}>{trial?.isRunning === true ? 'Testing' : 'Test now'}</Button> : null}
        <div className="relay__icons">
          {canChoose && place !== undefined ? <MoveButton relay={relay} direction="up" move={moves.up} onMove={onMove} /> : null}
          {canChoose && place !== undefined ? <MoveButton relay={relay} direction="down" move={moves.down} onMove={onMove} /> : null}
          {canChoose ? <span className={choice === 'pinned' ? 'relay__pin relay__pin--on' : 'relay__pin'}><IconButton icon={Pin} label={`Pin ${name}`} title={choice === 'pinned' ? 'Pinned: before all others, whatever is measured. Press to unpin' : 'Pin: before all others, whatever is measured'} aria-pressed={choice === 'pinned'} onClick={() => onChoose(relay, choice === 'pinned' ? 'normal' : 'pinned')} /></span> : null}
          {canChoose ? <IconButton icon={Ban} label={`Ban ${name}`} title="Ban: never use it again" onClick={() => onBan(relay)} /> : null}
          <IconButton icon={Trash2} label={isBeingLeft(relay) ? `Forget ${name} now` : `Remove ${name}`} onClick={() => onRemove(relay)} />
          <span className={isOpen ? 'relay__fold relay__fold--open' : 'relay__fold'}><IconButton icon={ChevronDown} label={`About ${name}`} title={isOpen ? 'Hide what it can do' : 'Show what it can do'} aria-expanded={isOpen} aria-controls={aboutId} onClick={() => setOpen(!isOpen)} /></span>
        </div>
      </div>
      {trial === undefined || (!trial.isRunning && hiddenTestMs === trial.startedAtMs) ? null : <RelayTrial name={name} trial={trial} onHide={() => setHiddenTest(trial.startedAtMs)} />}
      {isOpen ? <RelayAbout relay={relay} id={aboutId} /> : null}
    </li>
  );
}

/** It stays in reach where it cannot go on, so that the focus does. */
function MoveButton({ relay, direction, move, onMove }: { readonly relay: RelayView; readonly direction: Direction; readonly move: Move; readonly onMove: RelayActions['onMove'] }) {
  const canMove = move.past !== undefined;
  const words = direction === 'up' ? `Move ${relay.name} up` : `Move ${relay.name} down`;
  return <IconButton id={moveButtonId(relay.publicKey, direction)} icon={direction === 'up' ? ArrowUp : ArrowDown} label={words} title={canMove ? words : move.why} aria-disabled={!canMove} onClick={() => { if (canMove) onMove(relay, direction); }} />;
}
