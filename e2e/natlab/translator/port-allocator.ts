/**
 * Which external port a new mapping gets.
 *
 * `random`: any free one. `preserve`: the inside port while it is free, else any. `sequential`: a fixed step after the last one given, whoever it was given to.
 * `block`: each inner host has a range of its own, as carriers give their subscribers, and random ports within; a host that has used up its range gets nothing more.
 */
import type { Allocation } from './policy.ts';

/** All but the well-known ports: the 64,512 that birthday estimates count with. */
export const portFirst = 1_024;
export const portLast = 65_535;
const ports = portLast - portFirst + 1;
/** Draws of a random port before the rest is searched in order. */
const drawsMaximum = 64;

export interface Range { readonly first: number; readonly ports: number }

const everyPort: Range = { first: portFirst, ports };

export class PortAllocator {
  readonly #allocation: Allocation;
  readonly #random: () => number;
  readonly #blocks = new Map<string, Range>();
  #last: number;

  /** @param random uniform in [0, 1). */
  constructor(allocation: Allocation, random: () => number) {
    this.#allocation = allocation;
    this.#random = random;
    this.#last = this.#drawn(everyPort);
  }

  /** Undefined when there is none left for this host. */
  allocate(inside: { readonly address: string; readonly port: number }, isFree: (port: number) => boolean): number | undefined {
    const allocation = this.#allocation;
    switch (allocation.kind) {
      case 'random': return this.#within(everyPort, isFree);
      case 'preserve': return inside.port >= portFirst && isFree(inside.port) ? inside.port : this.#within(everyPort, isFree);
      case 'sequential': return this.#next(allocation.deltaPorts, isFree);
      case 'block': {
        const block = this.#blockOf(inside.address, allocation.blockPorts);
        return block === undefined ? undefined : this.#within(block, isFree);
      }
    }
  }

  #next(deltaPorts: number, isFree: (port: number) => boolean): number | undefined {
    for (let tried = 0; tried < ports; tried += 1) {
      this.#last = portFirst + ((this.#last - portFirst + deltaPorts) % ports);
      if (isFree(this.#last)) return this.#last;
    }
    return undefined;
  }

  #blockOf(address: string, blockPorts: number): Range | undefined {
    const known = this.#blocks.get(address);
    if (known !== undefined) return known;
    const taken = new Set([...this.#blocks.values()].map(({ first }) => first));
    const free = Array.from({ length: Math.floor(ports / blockPorts) }, (_, index) => portFirst + index * blockPorts).filter((first) => !taken.has(first));
    const first = free[Math.floor(this.#random() * free.length)];
    if (first === undefined) return undefined;
    const block = { first, ports: blockPorts };
    this.#blocks.set(address, block);
    return block;
  }

  #within(range: Range, isFree: (port: number) => boolean): number | undefined {
    for (let draw = 0; draw < drawsMaximum; draw += 1) {
      const port = this.#drawn(range);
      if (isFree(port)) return port;
    }
    const start = this.#drawn(range) - range.first;
    for (let step = 0; step < range.ports; step += 1) {
      const port = range.first + ((start + step) % range.ports);
      if (isFree(port)) return port;
    }
    return undefined;
  }

  #drawn({ first, ports: count }: Range): number {
    return first + Math.floor(this.#random() * count);
  }
}
