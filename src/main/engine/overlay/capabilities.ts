/** What a relay says in its handshake that it can do for two visors. */

/** It joins sessions of two visors by circuits (docs/protocol.md, section 10). */
export const circuitsCapability = 'circuits';
