/**
 * Waypost: two engines' sessions and request layers on real UDP sockets, dialled by address and identity with a full handshake, certificates on both sides.
 * Bulk and transfers are pulls of content by name, each checked against its BLAKE3 root; an echo is a request that is answered with what it carried.
 *
 * A content is at most 66,560 bytes, so bulk is many contents, some of them under way at once. The contents are derived from their numbers, so
 * that the puller knows the names, as it would from a letter's header; that is prepared and not measured.
 */
import { crypto, newPerson } from '../../endpoint.ts';
import { contentMaximumBytes } from '../../../src/main/engine/directed/publisher.ts';
import { echoSizeBytes, transferSizeBytes, transfersTotal, type Peer } from '../peer.ts';
import { WaypostEnd } from './waypost-end.ts';
import type { PullOutcome } from '../../../src/main/engine/directed/types.ts';
import type { ContentName, SocketAddress } from '../../../src/main/engine/wire/types.ts';

const host = '127.0.0.1';
/** Different ones, asked for in turn: a content that is under way twice would come once. */
const bulkContents = 64;
const bulkUnderWay = 8;
const answerWithinMs = 10_000;

interface Address { readonly address: SocketAddress; readonly identity: string }
interface Content { readonly name: ContentName; readonly bytes: Uint8Array }

function contents(count: number, sizeBytes: number): readonly Content[] {
  return Array.from({ length: count }, (_, index) => {
    const bytes = new Uint8Array(sizeBytes).fill(7);
    new DataView(bytes.buffer).setUint32(0, index);
    return { name: { root: crypto.blake3(bytes), length: sizeBytes }, bytes };
  });
}

/** Both sides derive the same ones. */
const largeContents = (): readonly Content[] => contents(bulkContents, contentMaximumBytes);
const smallContents = (): readonly Content[] => contents(transfersTotal, transferSizeBytes);

export const waypost: Peer = {
  async serve() {
    const person = newPerson();
    const end = new WaypostEnd(person, true);
    for (const { name, bytes } of [...largeContents(), ...smallContents()]) end.directed.publisher.offer(name, bytes);
    end.directed.handle('publish', (_sessionId, body, answer, now) => {
      if (body.verb === 'publish') answer.respond(body.object, now);
    });
    return JSON.stringify({ address: await end.open(host), identity: person.publicKey } satisfies Address);
  },

  async prepare(text) {
    const { address, identity } = JSON.parse(text) as Address;
    const large = largeContents();
    const small = smallContents();
    const end = new WaypostEnd(newPerson(), false);
    await end.open(host);
    return {
      async dial() {
        const session = await end.dial(address, identity);
        const pull = (name: ContentName, done: (outcome: PullOutcome) => void): void => {
          end.run((now) => { end.directed.pull(session, name, done, now); });
        };
        return {
          bulk(received) {
            let next = 0;
            const more = (): void => {
              const content = large[next % large.length];
              next += 1;
              if (content === undefined) return;
              pull(content.name, (outcome) => {
                received(pulledBytes(outcome));
                // After the engine's own turn: this is called from inside of it.
                queueMicrotask(more);
              });
            };
            for (let index = 0; index < bulkUnderWay; index += 1) more();
            return Promise.resolve();
          },

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

          transfer(index) {
            return new Promise((resolve, reject) => {
              const content = small[index];
              if (content === undefined) { reject(new RangeError(`there is no content ${index}`)); return; }
              pull(content.name, (outcome) => {
                if (outcome.kind === 'pulled') resolve();
                else reject(new Error(`A pull of Waypost failed: ${outcome.reason}.`));
              });
            });
          },
        };
      },
    };
  },
};

function pulledBytes(outcome: PullOutcome): number {
  if (outcome.kind === 'pulled') return outcome.bytes.length;
  throw new Error(`A pull of Waypost failed: ${outcome.reason}.`);
}
