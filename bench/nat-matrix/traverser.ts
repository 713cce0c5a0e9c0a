/**
 * What each system implements that gets connections through NATs (registry.ts names them). Each method runs in a process of its own: `help` on a public host, `serve`
 * and `prepare` on hosts behind NATs. What goes from one to the others is one line of text, which nobody else looks into.
 *
 * To add one: a module that exports a `Traverser`, beside its packages if it needs any (bench/peers/traversal), and a line in the registry. Nothing has to be ended or
 * cleaned up; the processes are killed. A process that starts others has to end them when it ends.
 */

export interface Traverser {
  /** Runs what the system needs in the public network, at these addresses of one host, until the process ends. Resolves to what the ends have to know. */
  help(addresses: readonly string[]): Promise<string>;
  /** Waits for connections, echoes what comes, until the process ends. Resolves, once others can dial, to the address: a key or an id with what belongs to it. */
  serve(helpers: string): Promise<string>;
  /** Everything that a program does once at its start and not for each connection: loading, binding, making keys, joining the network. */
  prepare(helpers: string, address: string): Promise<Dialler>;
}

export interface Dialler {
  /** Once for each dialler. Resolves when bytes can be sent, by whatever path; rejects when the system has given up, with a sentence that says why. */
  dial(): Promise<Connection>;
}

export interface Connection {
  /** Resolves when all of it has come back, by the best path at this time. Rejects if that path ended meanwhile; then it may be called again. */
  echo(bytes: Uint8Array): Promise<void>;
  /** Where packets go now, as the system itself says: for the report, and believed in nothing. */
  remote(): string;
  /** Resolves when, by the system's own account, the path is direct; never, if it does not become so. */
  readonly direct: Promise<void>;
}
