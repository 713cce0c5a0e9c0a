/** What a link emulator and whoever started it tell each other through files. */
import type { Emulation, LinkCounts } from './model.ts';

/** One end of the link: its VXLAN network, and the port at which the emulator takes that end's frames. */
export interface EmulatorEnd { readonly network: number; readonly port: number }

export interface EmulatorConfiguration {
  /** The end at the node, and the one at its segment. */
  readonly near: EmulatorEnd;
  readonly far: EmulatorEnd;
  readonly ownAddress: string;
  readonly kernelAddress: string;
  readonly kernelPort: number;
  readonly emulation: Emulation;
}

/** Since the emulator was started, as they were at `atMs` of the clock of day. */
export interface EmulatorCounts { readonly atMs: number; readonly out: LinkCounts; readonly in: LinkCounts }
