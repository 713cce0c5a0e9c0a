/** Numbers of sessions with several paths, with their reasons (notes: peers, section 2). */

/** Four that live (notes), and four whose proof is under way. */
export const pathsMaximum = 8;
/** Questions to addresses that may be the other side's; what is older was lost. */
export const probesMaximum = 48;
export const probeLifetimeMs = 5_000;
/** While something is sent, each path in use shows at least so often that it still answers. */
export const askWhileSendingMs = 1_000;
export const askAgainMs = 500;
/** Without an answer for so long, what is sent goes by another path as well. Tailscale waits 6.5 s; a copy of a few letters costs less than the wait. */
export const doubtMs = 2_000;
/** As Iroh's: the path is gone, and has to be found anew. */
export const pathDeadMs = 15_000;
/** Within 45 s of traffic, as Tailscale's; otherwise as seldom as keeps a mapping alive that lives for 30 s. */
export const pathHeartbeatMs = 5_000;
export const pathTrafficMs = 45_000;
export const pathHeartbeatIdleMs = 20_000;
/** By both paths for so long, or three round trips, when a better one was found. */
export const overlapMinimumMs = 1_000;
/** Iroh's: for less than that nobody moves. */
export const roundTripStickinessMs = 5;
