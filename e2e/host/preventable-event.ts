/** Electron's event object: the first argument of a listener, which may veto what is about to happen. */
export interface PreventableEvent {
  defaultPrevented: boolean;
  preventDefault: () => void;
}

export function preventableEvent<Extra extends object>(extra: Extra): PreventableEvent & Extra {
  const event = {
    ...extra,
    defaultPrevented: false,
    preventDefault: () => {
      event.defaultPrevented = true;
    },
  };
  return event;
}
