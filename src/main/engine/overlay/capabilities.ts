/** What a relay says in its handshake that it can do. */

/** It joins sessions of two visors by circuits (docs/protocol.md, section 10). */
export const circuitsCapability = 'circuits';
/** It answers `resolve` (docs/protocol.md, section 11). */
export const resolveCapability = 'resolve';
