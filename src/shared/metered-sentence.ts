/** What the setting `metered` means, in one sentence for window and command line. */

export const meteredHint = 'For lines that cost by the byte: relays are tested and the network is checked more rarely, and direct connections are not tried again and again. Letters come as fast as ever. On battery this happens by itself.';

export const meteredSentence = (isMetered: boolean): string => (isMetered
  ? 'Metered is on: while nobody writes, Waypost sends as little as it can. Letters come as fast as ever.'
  : 'Metered is off.');
