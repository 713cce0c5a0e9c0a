/**
 * Waypost: two engines' sessions and request layers on real UDP sockets, dialled by address and identity with a full handshake, certificates on both sides.
 * Bulk is the download of one large content, each packet proved against its name when it comes; transfers are pulls of small contents; an echo is a
 * request that is answered with what it carried. Forwarded: the dialler talks to a relay in a process of its own, to which the holder has announced its contents.
 */
import { fork } from 'node:child_process';
import path from 'node:path';
import { crypto, Endpoint, newPerson } from '../../endpoint.ts';
import { echoSizeBytes, ownHost, transferSizeBytes, transfersTotal, type Peer } from '../peer.ts';
import { GeneratedContent } from './generated-content.ts';
import type { DownloadHandle } from '../../../src/main/engine/directed/types.ts';
import type { ContentName, Instant, RelayHint } from '../../../src/main/engine/wire/types.ts';

/** What bulk runs for longer is fetched again. */
const bulkBytes = 1_073_741_824;
const keptMaximumBytes = 4 * 1_048_576;
const answerWithinMs = 10_000;

export interface WaypostVariant { readonly datagramLimitBytes: number; readonly forwarded: boolean }

interface ServedAddress extends RelayHint { readonly bulkRootHex: string }

/** Both sides derive the same ones, as the requester of a letter's body knows its name from the header. */
function smallContents(): readonly { readonly name: ContentName; readonly bytes: Uint8Array }[] {
  return Array.from({ length: transfersTotal }, (_, index) => {
    const bytes = new Uint8Array(transferSizeBytes).fill(7);
    new DataView(bytes.buffer).setUint32(0, index);
    return { name: { root: crypto.blake3(bytes), length: transferSizeBytes }, bytes };
  });
}

export function answerEchoes(end: Endpoint): void {
  end.directed.handle('publish', (_sessionId, body, answer, now) => {
    if (body.verb === 'publish') answer.respond(body.object, now);
  });
}

/** Starts a relay process and announces the contents there, over a session of the holder's. */
async function throughRelay(end: Endpoint, names: readonly ContentName[], variant: WaypostVariant): Promise<RelayHint> {
  const child = fork(path.join(import.meta.dirname, 'waypost-relay.ts'), [String(variant.datagramLimitBytes)]);
  process.once('exit', () => { child.kill('SIGKILL'); });
  const relay = await new Promise<RelayHint>((resolve) => { child.once('message', (message) => { resolve(message as RelayHint); }); });
  const session = await end.dial(relay, false);
  const mailbox = { identity: relay.publicKey, deviceId: '00'.repeat(16) };
  for (const name of names) {
    await new Promise<void>((resolve, reject) => {
      end.run((now) => {
        end.directed.request(session, { verb: 'drop', mailbox, name }, {
          deadlineMs: answerWithinMs,
          done: (outcome) => { if (outcome.kind === 'answered') resolve(); else reject(new Error(`The relay did not take an announcement: ${outcome.kind}.`)); },
        }, now);
      });
    });
  }
  return relay;
}

export const waypost = (variant: WaypostVariant): Peer => ({
  async serve() {
    const person = newPerson();
    const end = new Endpoint(person, { listening: true, datagramLimitBytes: variant.datagramLimitBytes });
    const large = new GeneratedContent(bulkBytes);
    end.directed.publisher.offerDatum(large.name, large);
    const small = smallContents();
    for (const { name, bytes } of small) end.directed.publisher.offer(name, bytes);
    answerEchoes(end);
    await end.open(ownHost);
    const shown = variant.forwarded ? await throughRelay(end, [large.name], variant) : end.hint;
    return JSON.stringify({ ...shown, bulkRootHex: Buffer.from(large.name.root).toString('hex') } satisfies ServedAddress);
  },

  async prepare(text) {
    const { bulkRootHex, ...hint } = JSON.parse(text) as ServedAddress;
    const large: ContentName = { root: Uint8Array.from(Buffer.from(bulkRootHex, 'hex')), length: bulkBytes };
    const small = smallContents();
    const end = new Endpoint(newPerson(), { datagramLimitBytes: variant.datagramLimitBytes });
    await end.open(ownHost);
    return {
      async dial() {
        const session = await end.dial(hint, false);
        let download: DownloadHandle | undefined;
        return {
          bulk(received) {
            const start = (now: Instant): void => {
              download = end.directed.download(large, {
                trafficClass: 'bulk',
                keptMaximumBytes,
                verified: (_offset, bytes) => { received(bytes.length); },
                // After the engine's own turn: this is called from inside of it.
                completed: () => { queueMicrotask(() => { end.run(start); }); },
                sourceEnded: (_session, reason) => { throw new Error(`The download of Waypost ended: ${reason}.`); },
              }, now);
              download?.addSource(session, now);
            };
            end.run(start);
            return Promise.resolve();
          },

          stopReading() { end.run((now) => { download?.hold(true, now); }); },

          echo(message) {
            return new Promise((resolve, reject) => {
              end.run((now) => {
                end.directed.request(session, { verb: 'publish', kind: 'identity', object: message }, {
                  deadlineMs: answerWithinMs,
                  done: (outcome) => {
                    if (outcome.kind === 'answered' && outcome.payloads[0]?.length === echoSizeBytes) resolve();
                    else reject(new Error(`An echo of Waypost was not answered: ${outcome.kind}.`));
                  },
                }, now);
              });
            });
          },

          // Announcing ten thousand names is not what is measured there.
          transfer: variant.forwarded ? undefined : (index) => new Promise((resolve, reject) => {
            const content = small[index];
            if (content === undefined) { reject(new RangeError(`there is no content ${index}`)); return; }
            end.run((now) => {
              end.directed.pull(session, content.name, (outcome) => {
                if (outcome.kind === 'pulled') resolve();
                else reject(new Error(`A pull of Waypost failed: ${outcome.reason}.`));
              }, now);
            });
          }),
        };
      },
    };
  },
});
