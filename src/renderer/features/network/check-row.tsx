/** One line of a checklist: the answer as icon and word, what was asked, and what it means. */
import { CircleCheck, CircleDashed, CircleX } from 'lucide-react';
import type { Answer, Check } from './checklist.ts';

const icons: Readonly<Record<Answer, typeof CircleCheck>> = { yes: CircleCheck, no: CircleX, 'not checked': CircleDashed };
const answerWords: Readonly<Record<Answer, string>> = { yes: 'Yes', no: 'No', 'not checked': 'Not checked' };

export function CheckRow({ answer, question, detail }: Check) {
  const Icon = icons[answer];
  return (
    <li className={`check check--${answer === 'not checked' ? 'unknown' : answer}`}>
      <span className="check__answer"><Icon size={16} strokeWidth={1.75} aria-hidden />{answerWords[answer]}</span>
      <div><p className="check__question">{question}</p><p className="muted">{detail}</p></div>
    </li>
  );
}
