/** A relay between two ends of the benchmark: it has no content of its own and forwards what is asked of it to whoever announced it. */
import { newPerson } from '../../endpoint.ts';
import { WaypostEnd } from './waypost-end.ts';
import { answerEchoes, type Address } from './waypost.ts';

const person = newPerson();
const end = new WaypostEnd(person, true, Number(process.argv[2]));
answerEchoes(end);
// Stands in for `hold`, which needs a mailbox: the session that names a content has it.
end.directed.handle('drop', (sessionId, body, answer, now) => {
  if (body.verb !== 'drop') return;
  end.directed.announce(sessionId, { root: body.name.root.slice(), length: body.name.length }, now);
  answer.respond(new Uint8Array(0), now);
});
process.send?.({ address: await end.open('127.0.0.1'), identity: person.publicKey } satisfies Address);
