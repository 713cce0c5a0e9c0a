/** A visor in a process of its own that takes letters: `recipient.ts RELAY-HINT FOLDER`. Tells its parent a link to write to. */
import { joinRelay, startVisor } from './people.ts';
import { parseRelayHint } from '../src/main/engine/wire/relay-hint.ts';
import { random } from './endpoint.ts';

const hint = parseRelayHint(process.argv[2] ?? '');
const directory = process.argv[3];
if (hint === undefined || directory === undefined) throw new Error('usage: recipient.ts RELAY-HINT FOLDER');
const visor = await startVisor({ directory, identitySecret: random(32), localKey: random(32), name: 'bob' });
await joinRelay(visor, hint);
const { link } = await visor.client.invites.create();
process.send?.(link);
