/** The words right after an identity was made: confirmed now, or later with a reminder that stays. */
import { navigation } from '../../navigation.ts';
import { Sheet } from './sheet.tsx';
import { WordsFlow } from './words-flow.tsx';

export function WordsStep({ onDone }: { readonly onDone: () => void }) {
  return (
    <Sheet title="Your 24 words" wide>
      <WordsFlow laterLabel="Later" onLater={onDone} onDone={() => { navigation.toast('good', 'Your words are confirmed.'); onDone(); }} />
    </Sheet>
  );
}
