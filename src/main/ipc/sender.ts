/** Who may call the main process: the top frame of one of our own windows, showing one of our own pages. Pure, so that each rule is tested. */

export interface SenderFacts {
  /** Undefined when the frame is gone already: then nobody could get the answer either. */
  readonly frame: { readonly url: string; readonly isTop: boolean } | undefined;
  readonly contentsId: number;
}

/** `isOwnUrl` compares parsed addresses; `trusted` holds the ids of the windows that we made. */
export function isTrustedSender(facts: SenderFacts, trusted: ReadonlySet<number>, isOwnUrl: (url: string) => boolean): boolean {
  return facts.frame?.isTop === true && trusted.has(facts.contentsId) && isOwnUrl(facts.frame.url);
}
