/** The links that are measured, in the order of their importance, and who is measured over them. */
import type { Emulation } from '../../e2e/natlab/lab.ts';

export const rateMbit = 20;
/** Bytes of frames in a millisecond. */
export const linkBytesPerMs = rateMbit * 125;

export interface MeasuredLink {
  readonly name: string;
  readonly roundTripMs: number;
  /** Of frames towards the one who downloads, 0 to 1, as in bench/links.ts. */
  readonly loss: number;
  /** Of frames the other way. */
  readonly requestLoss: number;
  readonly queueMs: number;
  /** Share of the link that Waypost aims at; undefined where nothing is promised but not to be below the kernel's TCP. */
  readonly aim: number | undefined;
}

export interface MeasuredPeer {
  readonly name: string;
  /** Its name among the ends. */
  readonly peer: string;
  /** What the kernel's TCP is told to use; undefined for what is not TCP. */
  readonly congestionControl: string | undefined;
}

const goodputAim = 0.9;
const aimRoundTripMs = 100;
const aimLossMaximum = 0.02;
const losses = [0, 0.005, 0.02, 0.05];
const roundTripsMs = [100, 20, 300];
const bloatedQueueMs = 500;

/** Frames to and from the host whose uplink it is; the queue is one bandwidth-delay product unless it is a bloated one. */
export function emulationOf({ roundTripMs, loss, requestLoss, queueMs }: MeasuredLink, seed = 1): Emulation {
  const both = { delayMs: roundTripMs / 2, rateBitsPerSecond: rateMbit * 1e6, queueMs };
  return { seed, in: { ...both, lossShare: loss }, out: { ...both, lossShare: requestLoss } };
}

function lossyLink(roundTripMs: number, loss: number): MeasuredLink {
  const aim = roundTripMs === aimRoundTripMs && loss <= aimLossMaximum ? goodputAim : undefined;
  return { name: `${roundTripMs} ms, ${loss * 100} % loss`, roundTripMs, loss, requestLoss: 0, queueMs: roundTripMs, aim };
}

export const measuredLinks: readonly MeasuredLink[] = [
  ...roundTripsMs.flatMap((roundTripMs) => losses.map((loss) => lossyLink(roundTripMs, loss))),
  { ...lossyLink(aimRoundTripMs, 0), name: `${aimRoundTripMs} ms, queue of ${bloatedQueueMs} ms`, queueMs: bloatedQueueMs },
  { ...lossyLink(aimRoundTripMs, aimLossMaximum), name: `${aimRoundTripMs} ms, ${aimLossMaximum * 100} % loss each way`, requestLoss: aimLossMaximum, aim: undefined },
];

export const sharedLink: MeasuredLink = { ...lossyLink(aimRoundTripMs, 0), name: `${aimRoundTripMs} ms, two downloads` };

export const waypost: MeasuredPeer = { name: 'Waypost', peer: 'waypost-1452', congestionControl: undefined };
export const hyperdht: MeasuredPeer = { name: 'hyperdht', peer: 'hyperdht', congestionControl: undefined };
export const tcp = (congestionControl: string): MeasuredPeer => ({ name: `TCP ${congestionControl}`, peer: 'tcp', congestionControl });
