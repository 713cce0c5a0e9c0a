/** A relay between two ends of the benchmark: it has no content of its own and forwards what is asked of it to whoever announced it. */
import { Endpoint, newPerson } from '../../endpoint.ts';
import { answerEchoes } from './waypost.ts';

const end = new Endpoint(newPerson(), { listening: true, datagramLimitBytes: Number(process.argv[2]) });
answerEchoes(end);
// Stands in for `hold`, which needs a mailbox: the session that names a content has it.
end.directed.handle('drop', (sessionId, body, answer, now) => {
  if (body.verb !== 'drop') return;
  end.directed.announce(sessionId, { root: body.name.root.slice(), length: body.name.length }, now);
  answer.respond(new Uint8Array(0), now);
});
await end.open();
process.send?.(end.hint);
