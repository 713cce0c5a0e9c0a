/** The line that always says how Waypost is connected; a click opens Network. */
import { connectionSentence } from '../../../shared/sentences.ts';
import { navigation } from '../../navigation.ts';
import { Dot } from '../../ui/bits.tsx';
import { useSettledConnection } from './use-settled-connection.ts';

export function ConnectionLine() {
  const { tone, sentence } = connectionSentence(useSettledConnection());
  return (
    <div className="connection">
      <button type="button" className="connection__button" title={`${sentence}. Open Network`} onClick={() => navigation.go('network')}>
        <Dot tone={tone} />
        <span className="connection__sentence">{sentence}</span>
        <span className="visually-hidden">. Open Network</span>
      </button>
      <span className="visually-hidden" role="status" aria-label="Connection">{sentence}</span>
    </div>
  );
}
