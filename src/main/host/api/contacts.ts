/** The `contacts` and `invites` groups of the contract: links in, links out, and who may write. */
import type { Handlers } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { encodeInviteLink, parseInvite, type ParsedInvite } from '../../engine/wire/link.ts';
import type { Invite } from '../../engine/wire/types.ts';
import type { ApiContext } from './api-context.ts';
import { fingerprintOf, formatHostPort } from './presenter.ts';

const linkSentences: Readonly<Record<Extract<ParsedInvite, { ok: false }>['reason'], string>> = {
  'empty': 'There is no link yet. Paste an invite link (waypost://add/…) or an address.',
  'not-a-link': 'This is neither an invite link nor an address. An invite link begins with waypost://add/, an address has 66 hexadecimal digits.',
  'checksum': 'This link was changed on its way. Ask for it again, and copy it whole.',
  'truncated': 'The end of this link is missing. Copy it again, all of it.',
  'version': 'This link was made by a newer Waypost. Update this one to use it.',
  'bad-key': 'The key in this address does not exist. Check that all digits are right.',
};

/** @throws WaypostError `bad-link` with a sentence that says what is wrong with it. */
export function requireInvite(link: string): Invite {
  const parsed = parseInvite(link);
  if (!parsed.ok) throw new WaypostError('bad-link', linkSentences[parsed.reason]);
  return parsed.invite;
}

export function createContactHandlers(context: ApiContext): Handlers['contacts'] {
  return {
    preview({ link }) {
      const invite = requireInvite(link);
      const inspect = context.inspect();
      if (invite.publicKey === inspect.publicKey) return Promise.reject(new WaypostError('own-address', 'This is your own link. Send it to a friend, and paste theirs here.'));
      const standing = inspect.contacts.get(invite.publicKey)?.standing;
      return Promise.resolve({
        publicKey: invite.publicKey,
        name: invite.name,
        fingerprint: fingerprintOf(invite.publicKey),
        relays: invite.relays.map((relay) => formatHostPort(relay.host, relay.port)),
        alreadyContact: standing === 'contact' || standing === 'pending',
      });
    },
    async add({ link, name }) {
      return context.command({ name: 'add-contact', invite: requireInvite(link), as: name });
    },
    async rename({ publicKey, name }) {
      await context.command({ name: 'rename-contact', publicKey, as: name });
      return undefined;
    },
    async accept({ publicKey }) {
      await context.command({ name: 'accept', publicKey });
      return undefined;
    },
    async block({ publicKey }) {
      await context.command({ name: 'block', publicKey });
      return undefined;
    },
    async unblock({ publicKey }) {
      await context.command({ name: 'unblock', publicKey });
      return undefined;
    },
  };
}

export function createInviteHandlers(context: ApiContext): Handlers['invites'] {
  return {
    async create() {
      const { invite } = await context.command({ name: 'create-invite' });
      return { link: encodeInviteLink(invite) };
    },
  };
}
