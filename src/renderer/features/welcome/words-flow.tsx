/** The 24 words: shown, then three asked back. Used after creating an identity and again from the reminder and Settings. */
import { useEffect, useState, type SubmitEvent } from 'react';
import { errorSentence, useServices } from '../../services.tsx';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { normalWord, quizPositions } from './quiz.ts';

interface WordsFlowProps {
  readonly onDone: () => void;
  readonly onLater: () => void;
  readonly laterLabel: string;
}

export function WordsFlow({ onDone, onLater, laterLabel }: WordsFlowProps) {
  const { client } = useServices();
  const [words, setWords] = useState<readonly string[] | undefined>(undefined);
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  useEffect(() => {
    let gone = false;
    client.account.revealWords().then((result) => { if (!gone) setWords(result.words); }, (thrown: unknown) => { if (!gone) setProblem(errorSentence(thrown)); });
    return () => { gone = true; };
  }, [client]);

  if (asking) return <Quiz onDone={onDone} onBack={() => setAsking(false)} />;
  return (
    <div className="stack">
      <p className="sheet__text">Write these 24 words on paper, in this order. They are your identity: whoever has them can write and read as you, and without them nobody can restore it.</p>
      {problem === undefined ? null : <p className="field__error" role="alert">{problem}</p>}
      <ol className="words" aria-label="Your 24 words">
        {(words ?? []).map((word, index) => <li key={index} className="words__word"><span className="words__number">{index + 1}</span>{word}</li>)}
      </ol>
      <div className="sheet__actions">
        <Button onClick={onLater}>{laterLabel}</Button>
        <Button variant="primary" disabled={words === undefined} onClick={() => setAsking(true)}>I have written them down</Button>
      </div>
    </div>
  );
}

function Quiz({ onDone, onBack }: { readonly onDone: () => void; readonly onBack: () => void }) {
  const { client } = useServices();
  const [positions] = useState(() => quizPositions(Math.random));
  const [typed, setTyped] = useState<Readonly<Record<number, string>>>({});
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const check = (event: SubmitEvent): void => {
    event.preventDefault();
    const answers = positions.map((position) => ({ position, word: normalWord(typed[position] ?? '').slice(0, 16) }));
    client.account.confirmWords({ answers }).then(
      ({ correct }) => {
        if (correct) onDone();
        else setProblem('At least one of these is not the word you were shown. Look at your paper, or go back and compare.');
      },
      (thrown: unknown) => setProblem(errorSentence(thrown)),
    );
  };
  return (
    <form className="stack" onSubmit={check}>
      <p className="sheet__text">Three words from your paper, so that you know they are right.</p>
      <div className="quiz">
        {positions.map((position, index) => (
          <TextField key={position} label={`Word ${String(position + 1)}`} autoFocus={index === 0} autoComplete="off" autoCapitalize="off" spellCheck={false} value={typed[position] ?? ''} onChange={(event) => { setTyped({ ...typed, [position]: event.target.value }); setProblem(undefined); }} />
        ))}
      </div>
      <div role="alert">{problem === undefined ? null : <p className="field__error">{problem}</p>}</div>
      <div className="sheet__actions">
        <Button onClick={onBack}>Show the words again</Button>
        <Button type="submit" variant="primary" disabled={positions.some((position) => normalWord(typed[position] ?? '') === '')}>Confirm</Button>
      </div>
    </form>
  );
}
