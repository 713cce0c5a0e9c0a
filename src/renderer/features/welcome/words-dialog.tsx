/** The words again, from the reminder or from Settings. */
import { navigation } from '../../navigation.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { WordsFlow } from './words-flow.tsx';

export function WordsDialog() {
  return (
    <Dialog wide title="Your 24 words" onClose={navigation.closeDialog}>
      <WordsFlow laterLabel="Close" onLater={navigation.closeDialog} onDone={() => { navigation.toast('good', 'Your words are confirmed.'); navigation.closeDialog(); }} />
    </Dialog>
  );
}
