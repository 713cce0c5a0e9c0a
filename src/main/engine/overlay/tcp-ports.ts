/**
 * Where relays take TCP. A relay says so in its handshake (`tcp/` + port); what our own relays said is kept beside their rows, since it is needed most where they cannot be asked over UDP.
 * Of others, and until a relay has said it, the port is the one that every network lets out.
 */
import type { VisorContext } from '../visor-context.ts';

/** Of HTTPS. */
export const tcpPortDefault = 443;
const capabilityPattern = /^tcp\/([1-9]\d{0,4})$/;
const portMaximum = 65_535;
const valueKey = 'relay-tcp-ports';
/** Own relays and those of others. */
const knownMaximum = 256;

export const tcpCapability = (port: number): string => `tcp/${String(port)}`;

/** Undefined: none is told. */
export function tcpPortOf(capabilities: readonly string[]): number | undefined {
  for (const capability of capabilities) {
    const port = Number(capabilityPattern.exec(capability)?.[1] ?? 0);
    if (port > 0 && port <= portMaximum) return port;
  }
  return undefined;
}

export class TcpPorts {
  readonly #context: VisorContext;
  readonly #ports: Map<string, number>;

  constructor(context: VisorContext) {
    this.#context = context;
    this.#ports = new Map(decode(context.memory.values.get(valueKey)));
  }

  /** Undefined: it has not said so. */
  told(relay: string): number | undefined { return this.#ports.get(relay); }

  /** The relay named these in its handshake. */
  learn(relay: string, capabilities: readonly string[]): void {
    const port = tcpPortOf(capabilities);
    if (port === this.#ports.get(relay)) return;
    this.#ports.delete(relay);
    if (port !== undefined) this.#ports.set(relay, port);
    const { relays } = this.#context.memory;
    if (this.#ports.size > knownMaximum) for (const known of this.#ports.keys()) if (!relays.has(known)) { this.#ports.delete(known); break; }
    if (relays.has(relay)) this.#context.commit([{ kind: 'put-value', key: valueKey, value: JSON.stringify([...this.#ports].filter(([known]) => relays.has(known))) }]);
  }
}

/** What an older or damaged row says is passed over: it is learned again. */
function* decode(text: string | undefined): Iterable<[string, number]> {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '[]');
  } catch {
    return;
  }
  for (const entry of Array.isArray(value) ? value : []) {
    if (!Array.isArray(entry)) continue;
    const pair: readonly unknown[] = entry;
    const [relay, port] = pair;
    if (typeof relay === 'string' && typeof port === 'number' && Number.isInteger(port) && port > 0 && port <= portMaximum) yield [relay, port];
  }
}
