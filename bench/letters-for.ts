/** Deposits genuine letters of a stranger's making for a visor that is away, through tokens of its own invite links. */
import { answered, crypto, Endpoint, newPerson, random } from './endpoint.ts';
import { decodeIdentityRecord, decodePrekeyBundle } from '../src/main/engine/wire/record.ts';
import { encodeContent } from '../src/main/engine/wire/content.ts';
import { frameMaximumBytes } from '../src/main/engine/wire/frame.ts';
import { sealLetter } from '../src/main/engine/mail/letter.ts';
import type { RelayHint } from '../src/main/engine/wire/types.ts';

const pipelined = 32;
/** Frame and fixed fields of a deposit (docs/protocol.md, section 2). */
const depositFixedBytes = 176;

/** `pauseMs` between deposits; 0 = as fast as the relay takes them. */
export async function depositLetters(relay: RelayHint, recipient: string, tokens: readonly Uint8Array[], texts: readonly string[], pauseMs = 0): Promise<void> {
  const sender = newPerson();
  const endpoint = new Endpoint(sender);
  await endpoint.open();
  const session = await endpoint.dial(relay, true);
  const record = decodeIdentityRecord(answered(await endpoint.ask(session, { verb: 'record', kind: 'identity', identity: recipient, deviceId: undefined })));
  const deviceId = record?.devices[0]?.deviceId;
  const bundle = decodePrekeyBundle(answered(await endpoint.ask(session, { verb: 'record', kind: 'prekey', identity: recipient, deviceId })));
  if (deviceId === undefined || bundle === undefined) throw new Error('the recipient is not prepared');
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < texts.length) {
      const index = next;
      next += 1;
      const letter = sealLetter({
        crypto, random, senderStatic: sender.staticKeys, senderCertificate: sender.certificate.bytes, recipient: { identity: recipient, deviceId }, bundle,
        messageId: random(16), destinationPort: 1, sourcePort: 1, sequence: index + 1, sentAtMs: Date.now(), ttlSeconds: 86_400,
        content: encodeContent({ kind: 'text', text: texts[index] ?? '' }),
      });
      if (letter === 'too-large') throw new Error('too large');
      const name = { root: letter.bodyRoot, length: letter.body.length };
      const inline = depositFixedBytes + letter.header.length + letter.body.length <= frameMaximumBytes;
      if (!inline) endpoint.directed.publisher.offer(name, letter.body);
      answered(await endpoint.ask(session, {
        verb: 'deposit', mailbox: { identity: recipient, deviceId }, token: tokens[index % tokens.length], lane: 'letter', ttlSeconds: 86_400, purgeHash: letter.purgeHash,
        bodyRoot: letter.bodyRoot, bodyLength: letter.body.length, header: letter.header, inlineBody: inline ? letter.body : undefined,
      }));
      if (pauseMs > 0) await new Promise((resolve) => { setTimeout(resolve, pauseMs); });
    }
  };
  await Promise.all(Array.from({ length: pipelined }, worker));
  await endpoint.close();
}
