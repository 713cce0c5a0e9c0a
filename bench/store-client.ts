/** One client of the store benchmark: keeps a fixed number of deposits under way until all are acknowledged. */
import { Endpoint, answered, crypto, newPerson, random } from './endpoint.ts';
import { fromHex } from '../src/main/engine/wire/bytes.ts';
import { letterHeaderBytes } from '../src/main/engine/mail/letter.ts';
import type { StoreClientResult, StoreClientTask } from './store-rate.ts';

const pipelined = 32;
const bodyBytes = 1_024;
/** Not measured: until the relay's code is compiled. */
const warmUpLetters = 1_000;

process.once('message', (message) => {
  void run(message as StoreClientTask).then((result) => {
    process.send?.(result, () => { process.exit(0); });
  }, (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
    process.exit(1);
  });
});

async function run(task: StoreClientTask): Promise<StoreClientResult> {
  const endpoint = new Endpoint(newPerson());
  await endpoint.open();
  const session = await endpoint.dial(task.relay, true);
  const latenciesMs: number[] = [];
  let next = 0;
  const worker = async (last: number): Promise<void> => {
    while (next < last) {
      const index = next;
      next += 1;
      const mailbox = task.mailboxes[index % task.mailboxes.length];
      const token = fromHex(mailbox?.tokens[Math.floor(index / task.mailboxes.length) % mailbox.tokens.length] ?? '');
      if (mailbox === undefined || token === undefined) throw new Error('bad task');
      const header = random(letterHeaderBytes);
      header[0] = 1;
      const body = random(bodyBytes);
      const name = { root: crypto.blake3(body), length: body.length };
      endpoint.directed.publisher.offer(name, body);
      const beganMs = performance.now();
      answered(await endpoint.ask(session, {
        verb: 'deposit', mailbox: { identity: mailbox.identity, deviceId: mailbox.deviceId }, token, lane: 'letter', ttlSeconds: 86_400,
        purgeHash: crypto.blake3(body.subarray(0, 32)), bodyRoot: name.root, bodyLength: name.length, header, inlineBody: undefined,
      }));
      if (index >= warmUpLetters) latenciesMs.push(performance.now() - beganMs);
      endpoint.directed.publisher.withdraw(name);
    }
  };
  await Promise.all(Array.from({ length: pipelined }, () => worker(warmUpLetters)));
  const startedMs = Date.now();
  await Promise.all(Array.from({ length: pipelined }, () => worker(warmUpLetters + task.letters)));
  return { startedMs, endedMs: Date.now(), latenciesMs };
}
