/** Chooses what the window is: waiting, broken, locked, welcome, the words of a new identity, or the frame. */
import { LoaderCircle, TriangleAlert } from 'lucide-react';
import { useEffect } from 'react';
import { Frame } from './features/frame/frame.tsx';
import { Unlock } from './features/welcome/unlock.tsx';
import { Welcome } from './features/welcome/welcome.tsx';
import { Sheet } from './features/welcome/sheet.tsx';
import { holdKeys, releaseKeys } from './held-keys.ts';
import { dispatch } from './keys.ts';
import { navigation, navigationStore, useNavigation } from './navigation.ts';
import { useStore } from './store.ts';
import { EmptyState } from './ui/empty-state.tsx';
import { Late, late } from './ui/late.tsx';
import { Toasts } from './ui/toasts.tsx';
import './features/welcome/welcome.css';

const WordsStep = late(async () => (await import('./features/welcome/words-step.tsx')).WordsStep);

function Starting() {
  return <main className="screen"><EmptyState level={1} icon={LoaderCircle} title="Starting" text="Your messages are on this computer; they open in a moment." /></main>;
}

function Screen() {
  const account = useStore((state) => state.account);
  const arrived = useStore((state) => state.live !== undefined);
  const broken = useStore((state) => state.broken);
  const wordsPending = useNavigation((state) => state.wordsPending);
  const isNew = account?.phase === 'none';
  useEffect(() => {
    if (isNew) WordsStep.fetchAhead();
  }, [isNew]);
  if (broken !== undefined && !arrived) return <main className="screen"><EmptyState level={1} icon={TriangleAlert} title="Waypost cannot show anything yet" text={broken} /></main>;
  if (account === undefined) return <Starting />;
  switch (account.phase) {
    case 'none': return <Welcome account={account} />;
    case 'locked': return <Unlock />;
    case 'ready':
      if (!arrived) return <Starting />;
      return wordsPending ? <Late id="words" what="This page" meanwhile={<Sheet title="Your 24 words" wide />}><WordsStep onDone={() => navigation.setWordsPending(false)} /></Late> : <Frame />;
  }
}

/** The theme setting overrides the system; before there is one, the system decides. */
function useTheme(): void {
  const theme = useStore((state) => state.live?.view.settings.theme ?? 'system');
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }, [theme]);
}

function useKeyboard(): void {
  const platform = useStore((state) => state.account?.platform ?? '');
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (!event.defaultPrevented && dispatch(event, platform)) event.preventDefault();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [platform]);
}

/** What is typed before a dialog that was asked for is there belongs to it, and not to what is behind. */
function useHeldKeys(): void {
  useEffect(() => navigationStore.subscribe(({ dialog }, before) => {
    if (dialog === undefined) releaseKeys();
    else if (dialog !== before.dialog) holdKeys(navigation.closeDialog);
  }), []);
}

/** A file that is dropped beside the places that take it must not be opened in place of this page. */
function useNoStrayDrops(): void {
  useEffect(() => {
    const refuse = (event: DragEvent): void => {
      if (event.defaultPrevented || event.dataTransfer === null || !event.dataTransfer.types.includes('Files')) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'none';
    };
    window.addEventListener('dragover', refuse);
    window.addEventListener('drop', refuse);
    return () => {
      window.removeEventListener('dragover', refuse);
      window.removeEventListener('drop', refuse);
    };
  }, []);
}

export function App() {
  useTheme();
  useNoStrayDrops();
  useKeyboard();
  useHeldKeys();
  return (
    <>
      <Screen />
      <Toasts />
    </>
  );
}
