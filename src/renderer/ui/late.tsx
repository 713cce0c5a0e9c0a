/**
 * Parts of the window that are not needed for its first paint come in files of their own. `late` makes a component of such a file: fetched ahead
 * of time it is drawn at once like any other, and only one that is asked for sooner suspends. {@link Late} is the place where that may happen.
 */
import { Component, createElement, Suspense, use, type ComponentType, type ReactNode } from 'react';

export interface LateComponent<Props> {
  (props: Props): ReactNode;
  /** Fetches the file; a failure is only met by who needs it. */
  readonly fetchAhead: () => void;
}

export function late<Props extends object>(load: () => Promise<ComponentType<Props>>): LateComponent<Props> {
  let loading: Promise<ComponentType<Props>> | undefined;
  const fetch = (): Promise<ComponentType<Props>> => {
    if (loading !== undefined) return loading;
    const started = load();
    loading = started;
    started.then(
      // This is how `use` marks promises it has seen: one that is marked before is read at once and never suspends.
      (value) => Object.assign(started, { status: 'fulfilled', value }),
      () => undefined,
    );
    return started;
  };
  const LateContent = (props: Props): ReactNode => createElement(use(fetch()), props);
  return Object.assign(LateContent, { fetchAhead: (): void => void fetch() });
}

interface LateProps {
  /** Tells one part from another, when they follow each other in the same place. */
  readonly id: string;
  /** Stands in while the file is on its way and nothing was here before: of the same shape, so that nothing jumps. */
  readonly meanwhile: ReactNode;
  /** What it is called when it cannot be shown: "This page". */
  readonly what: string;
  readonly children: ReactNode;
}

/**
 * One boundary for all that follows each other in a place. Parts chosen through `useDeferredValue` leave the one before on screen while their
 * file is on its way; a new boundary for each would show `meanwhile`, and React keeps that for a while once it is shown.
 */
export function Late({ id, meanwhile, what, children }: LateProps) {
  const sorry = <p className="field__error late__missing" role="alert">{what} could not be shown: the files of Waypost are damaged or were replaced while it ran. Restart it; if that does not help, install it again.</p>;
  return <Suspense fallback={meanwhile}><Missing key={id} otherwise={sorry}>{children}</Missing></Suspense>;
}

/** Catches what fails below it, which else would take the whole window with it. */
class Missing extends Component<{ readonly otherwise: ReactNode; readonly children: ReactNode }, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { readonly failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    return this.state.failed ? this.props.otherwise : this.props.children;
  }
}
