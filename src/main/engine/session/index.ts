/**
 * Link sessions: two machines that know who they talk to, over a network that loses, repeats, delays, reorders and forges.
 *
 * SHAPE. One `Sessions` per socket, sans-IO. It is handed datagrams, commands and the time; it hands back datagrams and events, in order,
 * through `pollOutput`, and one deadline through `pollTimeout`. A session has an id for the life of the process that survives new keys,
 * new addresses and a restart of the other side; the layers above hold on to it.
 *
 * HANDSHAKE. Noise IK or XX in three datagram types. `initiator.ts` begins: a dial, a rekey, coming back after silence and after a
 * restart are the same thing there, a handshake repeated with backoff beside whatever still works. `responder.ts` answers: what a first
 * message makes is put aside in a bounded table, and becomes the session, or its new keys, at the initiator's first transport packet
 * (`sessions.ts`, promote). So replays and spoofed addresses never touch a live session. Under load a cookie comes before the first
 * Diffie-Hellman, and unknown certificates have a budget.
 *
 *     initiator                         responder
 *     handshake-1  ------------------>  IK: keys, put aside        XX: state, put aside
 *                  <------------------  handshake-2
 *     IK: established
 *     XX: handshake-3 (repeated) ---->  XX: keys, put aside; echo at once
 *     XX: established  <--------------  echo
 *     first transport  -------------->  established
 *
 * KEYS. `session-keys.ts` has one handshake's worth: ciphers, indices, counters, a replay window. The initiator renews them after an hour
 * or 2^32 packets; old ones open packets for 10 s more, and the responder seals with the old ones until the new ones are proven.
 *
 * LIVENESS. `liveness.ts`: only inbound proof counts. Silence is told once and answered with handshakes; `unknown-session` is believed
 * with the right reset token and is otherwise a hint, at most one every 5 s. `established` comes again when a silence ends with the same
 * boot id on the other side, `restarted` when the boot id is another one.
 *
 * ADDRESSES. `path-validation.ts`: a candidate comes from the newest authentic packet only, earns bytes by sending them, and becomes the
 * address by answering a challenge. A session's address is therefore always proven. Echoes carry 75 zero bytes so that one of them pays
 * for its answer and a challenge.
 *
 * MEETINGS. `tie-break.ts`: two visors that dial each other end with one session, the one that the lower identity initiated, unless that
 * one is not proven to live.
 *
 * SCALE. An idle session is one object, two ciphers, a 256-byte bitmap and one heap entry (`timers.ts`). No packet and no deadline costs
 * more than the logarithm of the sessions. Every table has a bound, every dropped datagram a counted reason.
 */
export { createSessions, SessionCore } from './sessions.ts';
export type { TableSizes } from './sessions.ts';
export * from './types.ts';
