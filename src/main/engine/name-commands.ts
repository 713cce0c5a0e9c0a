/** What the person, or a program over the local API, asks about published names. */
import { WaypostError } from '../../shared/errors.ts';
import { publishedMaximum } from './files/published.ts';
import { isPublicKeyHex } from './wire/identity.ts';
import { isNamePath } from './wire/name-path.ts';
import type { EngineCommand } from './command-types.ts';
import type { Instant } from './wire/types.ts';
import type { VisorRole } from './visor-role.ts';

type NameCommand = Extract<EngineCommand, { name: 'publish' | 'unpublish' | 'fetch-named' | 'end-fetch-named' }>;

export function runNameCommand(role: VisorRole, command: NameCommand, now: Instant, done: () => void, fail: (error: WaypostError) => void): void {
  const { published, namedFetches } = role;
  if (!isNamePath(command.path)) { fail(new WaypostError('bad-name', 'A name has 1 to 128 lower-case letters, digits, ".", "-", "_" and "/", with something other than dots between the slashes. Choose another one.')); return; }
  switch (command.name) {
    case 'publish':
      if (role.revoked) fail(new WaypostError('device-revoked', 'This identity was restored on another device, so this one can no longer publish.'));
      else if (!published.publish(command.path, command.content, command.mediaType, now, done)) fail(new WaypostError('refused', `You have ${publishedMaximum.toLocaleString('en')} names already. Take one back before you publish another: waypost unpublish NAME`));
      return;
    case 'unpublish':
      if (!published.unpublish(command.path, now, done)) fail(new WaypostError('not-found', 'You have published nothing under this name.'));
      return;
    case 'fetch-named':
      if (!isPublicKeyHex(command.publicKey)) fail(new WaypostError('bad-address', 'This is not a valid address: it should have 66 hexadecimal digits. Check that all of it was copied.'));
      else if (!command.begin) { if (namedFetches.wanted(command.publicKey, command.path, now)) done(); else fail(new WaypostError('not-found', 'Nothing is fetched under this name. Begin anew.')); }
      else if (namedFetches.begin(command.publicKey, command.path, command.relay, now)) done();
      else fail(new WaypostError('refused', 'Too much is being fetched at once. Wait until some of it is here.'));
      return;
    case 'end-fetch-named': namedFetches.end(command.publicKey, command.path, now, done); return;
  }
}
