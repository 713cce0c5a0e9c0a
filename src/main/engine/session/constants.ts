/** Numbers of the session core, with their reasons (notes: peers, section 2; skywire-dmsg, section 2). */
import type { SessionLimits } from './types.ts';

/** NAT mappings live 30 s at worst; every device varies the pause by a fifth so that thousands do not fall into step. */
export const keepaliveMs = 25_000;
export const keepaliveSpread = 0.2;
/** Where it is known how long a silent mapping lives (path/mapping-lifetime.ts), this share of it: timers differ, and a repeated keepalive has to fit in. */
export const learnedPauseShare = 0.8;
/** And no more than this: a relay that died is noticed one pause later at worst, and forgets us after {@link responderIdleMs}, in which a lost keepalive has to be repeated. */
export const learnedPauseMaximumMs = 120_000;
export const learnedPauseMinimumMs = 10_000;
/** Of such a pause, to the shorter side alone. */
export const learnedPauseSpread = 0.1;
/** A keepalive needs no more than a beat (docs/protocol.md, section 2): a quarter of the bytes of an echo are enough to be heard and answered. */
export const beatCapability = 'beat';
/** The other side's clock is asked for by an echo all the same; and at once when our own was set, by more than this. */
export const echoInsteadOfBeatMs = 5 * 60_000;
export const clockSetMs = 1_000;
/** A challenge so soon after a keepalive that ended a learned pause: the router had forgotten us. */
export const mappingLostWithinMs = 3_000;
/** Somebody owes us an answer this long: ask whether they are there. Doubles with each echo. */
export const echoAfterMs = 1_000;
/** Nothing heard this long although an answer was due: the path counts as dead and handshakes begin. */
export const silentAfterMs = 6_500;
/** A session over UDP that owes an answer for so long asks around too; as with paths (path-constants.ts). */
export const detourDoubtMs = 2_000;
/** Over TCP, UDP is asked so often whether it passes by now: a handshake there and back. */
export const directAskAgainMs = 30_000;
/** The first time, for the head start of UDP may have been lost on the way. */
export const directAskSoonMs = 2_000;
export const directAskRepeatMs = 1_000;
/** Answers that take longer are no better than the way in use. */
export const directAskMs = 3_000;
/** Somebody else answers there; a relay that was started anew may answer later. */
export const refusedDetourMs = 600_000;
/** A silent side is asked between handshakes whether it is there again (knocking.ts): often while most cuts end, and not for ever. */
export const knockMs = 1_000;
export const knockOftenForMs = 60_000;
export const knockSeldomMs = 4_000;
export const knockForMs = 600_000;
export const dialFirstMs = 250;
export const dialMaximumMs = 8_000;
/** Where somebody else has told us to dial, and nobody has answered yet: handshakes of 1,200 bytes may fall on a stranger there. */
export const hearsayDialMaximumMs = 300_000;
/** A side that says goodbye to thousands at once, as a relay that is started anew does, is not to be dialled by all of them at once: each waits for a part of this. */
export const goodbyeSpreadMs = 5_000;
/** ... and goes on as if it had failed so often (a multiple of both kinds of attempts): the pauses are long enough by then to spread those who came too early. */
export const goodbyeAttempts = 4;
/** Attempts with the known key before the other side is asked for its key again. */
export const knownKeyAttempts = 2;
/** Answers with another identity before a dial is given up: one could be forged by who sees our datagrams, so one is not enough. */
export const wrongIdentityMaximum = 3;
export const rekeyAfterMs = 3_600_000;
export const rekeyAfterPackets = 2 ** 32;
/** Packets sealed under the keys before may still be under way. */
export const overlapMs = 10_000;
export const responderIdleMs = 180_000;
/** A half-made handshake of somebody else's is forgotten after this. */
export const pendingMs = 10_000;
export const roundTripsKept = 64;
/** An unknown-session without our reset token is a hint that anybody can forge: one probing handshake in this time. */
/** Cookies taken for one attempt: each costs us a datagram of 1,200 bytes, and whoever sees ours can forge them. */
export const cookiesPerAttempt = 4;
/** Certificates of sides that we dial have a budget of their own: strangers who dial us must not use it up. */
export const dialledCertificatesPerSecond = 100;
export const hintPauseMs = 5_000;
export const unknownSessionPerSecond = 200;
/** A candidate address that does not answer its challenge is forgotten. */
export const candidateMs = 5_000;
export const cookiePeriodMs = 3_600_000;
export const verifiedCertificatesMaximum = 16_384;
export const payloadVersion = 1;
export const handshakeDatagramBytes = 1_200;

export const defaultLimits: SessionLimits = { sessions: 20_000, pendingHandshakes: 2_048, cookieThresholdPerSecond: 500, certificateChecksPerSecond: 300 };
