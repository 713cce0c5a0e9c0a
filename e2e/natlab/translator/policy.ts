/** How one NAT device behaves: each part of it a setting, in the terms of RFC 4787. */

/** What a mapping or a filter depends on: nothing of the remote end, its address, or its address and port. */
export const dependences = ['independent', 'address', 'port'] as const;
export type Dependence = (typeof dependences)[number];

/** Which datagrams keep an idle mapping alive. RFC 4787 REQ-6 demands the outbound ones; the inbound ones are the device's choice. */
export const refreshes = ['outbound', 'both'] as const;
export type Refresh = (typeof refreshes)[number];

/** Whether hosts may ask for mappings: PCP (RFC 6887), NAT-PMP (RFC 6886). */
export const portControls = ['off', 'pcp', 'nat-pmp', 'both'] as const;
export type PortControl = (typeof portControls)[number];

/** Which external port a new mapping gets; see port-allocator.ts. */
export type Allocation =
  | { readonly kind: 'random' }
  | { readonly kind: 'preserve' }
  | { readonly kind: 'sequential'; readonly deltaPorts: number }
  | { readonly kind: 'block'; readonly blockPorts: number };

export interface TranslatorPolicy {
  readonly mapping: Dependence;
  readonly filtering: Dependence;
  readonly allocation: Allocation;
  /** How long a mapping, and what its filter admits, lives idle. */
  readonly lifetimeSeconds: number;
  readonly refresh: Refresh;
  readonly hairpin: boolean;
  readonly portControl: PortControl;
  readonly grantMaximumSeconds: number;
}

/** One NAT device and its place, as the laboratory tells the translator. */
export interface DeviceConfiguration {
  /** Its VXLAN network, and the port at which the translator takes its datagrams. */
  readonly network: number;
  readonly port: number;
  readonly publicAddress: string;
  /** Its own address on its LAN, and the first three numbers of it. */
  readonly gateway: string;
  readonly lan: string;
  /** Another number: every mapping is gone. */
  readonly generation: number;
  /** No port of before may come again. */
  readonly isRebound: boolean;
  readonly clockAheadSeconds: number;
  readonly policy: TranslatorPolicy;
}

export interface TranslatorConfiguration {
  readonly ownAddress: string;
  readonly kernelAddress: string;
  readonly kernelPort: number;
  readonly devices: readonly DeviceConfiguration[];
}

/** To whom the kernel sends what came from the LAN, and what came from outside: that is how the translator tells them apart. */
export const insideMac = '02:00:00:00:00:01';
export const outsideMac = '02:00:00:00:00:02';
