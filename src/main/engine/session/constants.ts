/** Every number of the session core, with its unit and its reason. */
import { frameMaximumBytes, requestHeaderBytes, responseHeaderBytes, transportOverheadBytes } from '../wire/frame.ts';
import type { SessionLimits } from './types.ts';

const second = 1_000;
const minute = 60 * second;

/** The one version of the link protocol so far. */
export const protocolVersion = 1;
export const versionsMaximum = 8;

/** The responder learns nothing from the size of a first message, and its answer can never be the larger of the two. */
export const handshakeOneBytes = 1_200;
export const indexBytes = 4;
export const cookieBytes = 16;
export const resetTokenBytes = 16;
export const bootIdBytes = 8;
export const challengeBytes = 8;

export const capabilitiesMaximum = 32;
export const capabilityMaximumBytes = 32;
/** What is left of 1,200 bytes in the tightest message: handshake-1 of IK with one version (header 24, Noise 96). */
export const payloadMaximumBytes = handshakeOneBytes - 24 - 96;

/** First repetition of an unanswered handshake, doubling to the cap (dial contract). */
export const handshakeRetryMs = 250;
export const handshakeRetryCapMs = 8 * second;
/** Unanswered IK messages after which the other side's device key is taken to be possibly out of date, and XX is tried too. */
export const unansweredBeforeXx = 2;
/** Age of an ephemeral key after which a repetition draws a new one; longer than any round trip that still makes sense. */
export const attemptLifeMs = 30 * second;
/** How long message 3 is repeated before the responder is taken to have forgotten message 1: half of its `pendingLifeMs`. */
export const proofLifeMs = 5 * second;
/** Between handshakes that others cause (reset tokens): two machines with one device key must not chase each other faster. */
export const handshakeGapMs = 1 * second;
/** One probing handshake per hint without a reset token: anybody can send those. */
export const hintGapMs = 5 * second;
/** How long a responder waits for the initiator's proof; covers four repetitions of the initiator. */
export const pendingLifeMs = 10 * second;
/** Share of the pending table above which cookies are demanded. */
export const pendingPressure = 0.75;
/** A cookie is good in the hour of its secret and the next one. */
export const cookiePeriodMs = 60 * minute;

/** Idle keepalive, jittered by 20 %: NAT mappings live about 30 s in the field (peers notes, section 2). */
export const keepaliveMs = 25 * second;
export const keepaliveJitter = 0.2;
/** An expected answer that does not come is asked after with echoes: after 1 s, 1 s more, then every 2 s. */
export const firstProbesMs = 1 * second;
export const laterProbesMs = 2 * second;
/** Trust in a path since the last inbound proof was due (Tailscale: 6.5 s). */
export const silentAfterMs = 6_500;
/** Responder sessions that hear nothing: seven keepalives were missed. */
export const idleAfterMs = 180 * second;
export const outstandingEchoesMaximum = 4;
export const roundTripsMaximum = 64;

/** Rekey by the initiator: 1 h, or 2^32 packets in either direction, less up to 20 % so that a relay's clients do not come together. */
export const rekeyAfterMs = 60 * minute;
export const rekeyAfterPackets = 2 ** 32;
export const rekeyJitter = 0.2;
/** Old keys go on opening packets that were under way. */
export const keyOverlapMs = 10 * second;

export const replayWindowPackets = 2_048;

export const candidateLifeMs = 10 * second;
export const challengeRepeatMs = 1 * second;

/** An echo pays for its answer and a challenge, so that one packet from a new address is enough to prove the address. */
export const echoFrameBytes = transportOverheadBytes + responseHeaderBytes + 16 + requestHeaderBytes + challengeBytes;

/** Smallest transport datagram: nothing shorter is answered with unknown-session (21 bytes). */
export const unknownSessionTriggerBytes = transportOverheadBytes;
export const unknownSessionPerSecond = 100;
export const unknownSessionBurst = 200;

/** An identity may sign many device ids: its newest sessions stay. */
export const sessionsPerIdentityMaximum = 8;
/** Anonymous sessions cost their owner nothing but packets: they may not keep certified ones out. */
export const anonymousShare = 0.5;

export const defaultLimits: SessionLimits = { sessions: 20_000, pendingHandshakes: 2_048, cookieThresholdPerSecond: 500, certificateChecksPerSecond: 200 };

export { frameMaximumBytes };
