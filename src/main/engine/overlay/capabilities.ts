/** What relays and visors say in their handshakes that they can do for, or with, another visor. */

/** It joins sessions of two visors by circuits (docs/protocol.md, section 10). */
export const circuitsCapability = 'circuits';
/** It answers `resolve` (docs/protocol.md, section 12). */
export const resolveCapability = 'resolve';
/** What a visor says of itself: it knows how to guess ports with another (section 10). Whether it will is for its answer. */
export const guessCapability = 'guess';
