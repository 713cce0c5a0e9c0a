/** What is folded away of a contact: every path and its state, how the path changed, and which ended. */
import { pathConsequence, pathProblemWords, pathStateWords, pathWords, switchWords } from '../../../shared/peer-sentences.ts';
import { roundTripWords } from '../../../shared/quantities.ts';
import type { PeerView } from '../../../shared/peer-views.ts';
import { PastTime } from '../../ui/time.tsx';
import { pathsInOrder } from './groups.ts';
import { PathSign } from './path-tag.tsx';

const switchesShown = 6;

export function PeerDetails({ peer, id }: { readonly peer: PeerView; readonly id: string }) {
  const { kind, relayName, paths, switches = [], problems = [] } = peer;
  return (
    <div className="peer__details" id={id}>
      {kind === undefined ? null : <p className="muted">{pathConsequence(kind, relayName)}</p>}
      {paths.length === 0 ? null : (
        <section>
          <h4>Paths</h4>
          <ul className="peer__paths" aria-label={`Paths to ${peer.name}`}>
            {pathsInOrder(paths).map((path) => (
              <li key={`${path.kind} ${path.address ?? path.relay ?? ''}`} className={path.isCurrent ? 'peer__path peer__path--current' : 'peer__path'}>
                <span className="row peer__path-kind"><PathSign kind={path.kind} /><span>{pathWords(path.kind, path.relayName)}</span></span>
                <span className="mono peer__path-address">{path.address ?? ''}</span>
                <span className="numeric peer__path-time">{path.roundTripMs === undefined ? <span className="muted">not measured</span> : roundTripWords(path.roundTripMs)}</span>
                <span className={path.isDoubtful ? 'peer__path-state peer__path-state--doubtful' : 'peer__path-state'}>{pathStateWords(path)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {switches.length === 0 ? null : (
        <section>
          <h4>How the path changed</h4>
          <ul className="peer__events">{switches.slice(-switchesShown).toReversed().map((one) => <li key={`${String(one.atMs)} ${one.to}`}><PastTime atMs={one.atMs} /><span>{switchWords(one)}</span></li>)}</ul>
        </section>
      )}
      {problems.length === 0 ? null : (
        <section>
          <h4>Paths that ended</h4>
          <ul className="peer__events">{problems.toReversed().map((one) => <li key={`${String(one.atMs)} ${one.kind} ${one.address ?? one.relayName ?? ''}`}><PastTime atMs={one.atMs} /><span>{pathWords(one.kind, one.relayName)}{one.address === undefined ? '' : <> <span className="mono">{one.address}</span></>} {pathProblemWords(one)}</span></li>)}</ul>
        </section>
      )}
    </div>
  );
}
