/** A test of a relay: its steps one below the other as they pass, each with its time, and what the whole of it says. */
import { Check, Circle, CircleDot, X, type LucideIcon } from 'lucide-react';
import { relayTrialSentence, relayTrialStateWords, relayTrialStepWords, type RelayTrialStepView, type RelayTrialView } from '../../../shared/relay-trial.ts';
import { Button } from '../../ui/button.tsx';
import { PastTime } from '../../ui/time.tsx';

const icons: Readonly<Record<RelayTrialStepView['state'], LucideIcon>> = { passed: Check, failed: X, running: CircleDot, waiting: Circle };

export function RelayTrial({ name, trial, onHide }: { readonly name: string; readonly trial: RelayTrialView; readonly onHide: () => void }) {
  return (
    <section className="trial" aria-label={`Test of ${name}`}>
      <div className="trial__head">
        <p role="status" className={trial.failure === undefined ? 'trial__sentence' : 'trial__sentence trial__sentence--failed'}>{relayTrialSentence(trial)}</p>
        {trial.isRunning ? null : <span className="muted"><PastTime atMs={trial.startedAtMs} /></span>}
        {trial.isRunning ? null : <Button size="small" variant="quiet" aria-label={`Hide the test of ${name}`} onClick={onHide}>Hide</Button>}
      </div>
      <ol className="trial__steps" aria-label={`Steps of the test of ${name}`}>
        {trial.steps.map((one) => {
          const Icon = icons[one.state];
          return (
            <li key={one.step} className={`trial__step trial__step--${one.state}`}>
              <Icon size={16} strokeWidth={1.75} aria-hidden /><span className="trial__words">{relayTrialStepWords(one)}</span><span className="trial__state numeric">{relayTrialStateWords(one)}</span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
