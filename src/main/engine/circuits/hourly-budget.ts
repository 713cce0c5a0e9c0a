/**
 * What all circuits together may carry in any hour, where whoever runs the relay has said so: a friend's computer carries for some, and its owner pays for the bytes.
 *
 * NOBODY TAKES MORE THAN THEY LEAVE. What goes through a circuit is charged to both of its ends: to the friend whose mailbox was asked for, and to the neighbourhood of whoever asked, who need not say
 * who they are. Each of these may take as much of the hour as is left when they have taken it, in packets and in bytes. So one alone gets half of the hour; who comes then, a quarter; and so on. Those who come
 * later find less, but however much a few take, there is something left for others: enough for them to meet and to find a direct path.
 */
import type { HourlyCircuits } from '../engine-types.ts';

const minuteMs = 60_000;
const minutesOfHour = 60;
/** Counted one by one in an hour: 64 friends, and neighbourhoods. More count as one. */
export const partiesMaximum = 256;
const manyOthers = 'others';

/** Counted by the minute, so that people can be told what the last hour took. */
class LastHour {
  readonly #minutes = Array.from({ length: minutesOfHour }, () => ({ packets: 0, bytes: 0 }));
  #latestMinute: number;
  packets = 0;
  bytes = 0;

  constructor(nowMs: number) { this.#latestMinute = Math.floor(nowMs / minuteMs); }

  add(sizeBytes: number, nowMs: number): void {
    this.forget(nowMs);
    const slot = this.#minutes[this.#latestMinute % minutesOfHour];
    if (slot === undefined) return;
    slot.packets += 1;
    slot.bytes += sizeBytes;
    this.packets += 1;
    this.bytes += sizeBytes;
  }

  /** What is older than an hour. */
  forget(nowMs: number): void {
    const minute = Math.floor(nowMs / minuteMs);
    // At most each slot once, however long the machine slept.
    for (let past = Math.max(this.#latestMinute + 1, minute - minutesOfHour + 1); past <= minute; past += 1) {
      const slot = this.#minutes[past % minutesOfHour];
      if (slot === undefined) continue;
      this.packets -= slot.packets;
      this.bytes -= slot.bytes;
      slot.packets = 0;
      slot.bytes = 0;
    }
    this.#latestMinute = Math.max(this.#latestMinute, minute);
  }
}

/** `used-up`: of all; `beyond-share`: one of the parties has had what they may have. In both cases nothing was taken. */
export type Taken = 'taken' | 'used-up' | 'beyond-share';

export class HourlyBudget {
  readonly #hour: HourlyCircuits;
  readonly #all: LastHour;
  readonly #parties = new Map<string, LastHour>();
  #tidiedMs: number;

  constructor(hour: HourlyCircuits, nowMs: number) {
    this.#hour = hour;
    this.#all = new LastHour(nowMs);
    this.#tidiedMs = nowMs;
  }

  /** For tests: those that are counted. */
  get parties(): number { return this.#parties.size; }

  /** @param parties all to whom one packet of that size is charged */
  take(sizeBytes: number, parties: readonly string[], nowMs: number): Taken {
    this.#all.forget(nowMs);
    const leftPackets = this.#hour.packets - this.#all.packets - 1;
    const leftBytes = this.#hour.bytes - this.#all.bytes - sizeBytes;
    if (leftPackets < 0 || leftBytes < 0) return 'used-up';
    this.#tidy(nowMs);
    const charged = new Set(parties.map((party) => this.#party(party, nowMs)));
    for (const party of charged) {
      party.forget(nowMs);
      if (party.packets + 1 > leftPackets || party.bytes + sizeBytes > leftBytes) return 'beyond-share';
    }
    this.#all.add(sizeBytes, nowMs);
    for (const party of charged) party.add(sizeBytes, nowMs);
    return 'taken';
  }

  /** In the last hour. */
  used(nowMs: number): HourlyCircuits {
    this.#all.forget(nowMs);
    return { packets: this.#all.packets, bytes: this.#all.bytes };
  }

  #party(name: string, nowMs: number): LastHour {
    const known = this.#parties.get(name);
    if (known !== undefined) return known;
    if (this.#parties.size >= partiesMaximum && name !== manyOthers) return this.#party(manyOthers, nowMs);
    const made = new LastHour(nowMs);
    this.#parties.set(name, made);
    return made;
  }

  /** Those that have taken nothing for an hour. */
  #tidy(nowMs: number): void {
    if (nowMs - this.#tidiedMs < minuteMs) return;
    this.#tidiedMs = nowMs;
    for (const [name, party] of [...this.#parties]) {
      party.forget(nowMs);
      if (party.packets === 0) this.#parties.delete(name);
    }
  }
}
