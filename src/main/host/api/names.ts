/**
 * The `names` group of the contract: data that is published for everybody under names. Publishing copies the file first, in the clear, and then says so to the
 * engine; fetching is the engine's business, and what came is written out from here.
 */
import path from 'node:path';
import type { Handlers, NamedFetchView, PublishedView } from '../../../shared/contract.ts';
import { WaypostError, type ErrorView } from '../../../shared/errors.ts';
import { sizeWords } from '../../../shared/quantities.ts';
import { fileMaximumBytes } from '../../../shared/file-views.ts';
import type { NamedFetchStatus, PublishedStatus } from '../../engine/inspection-types.ts';
import { equalBytes } from '../../engine/wire/bytes.ts';
import { mediaTypePattern } from '../../engine/wire/content.ts';
import { isNamePath } from '../../engine/wire/name-path.ts';
import { formatRelayHint, parseRelayHint } from '../../engine/wire/relay-hint.ts';
import type { ContentName } from '../../engine/wire/types.ts';
import { mediaTypeOf } from '../media-type.ts';
import type { ApiContext } from './api-context.ts';
import { headOf, requireAbsolute } from './files.ts';
import { presentFileStatus } from './presenter.ts';

const failures: Readonly<Record<NonNullable<NamedFetchStatus['failure']>, ErrorView>> = {
  'unreachable': { code: 'timeout', message: 'None of the relays that may know this name answers. Try again later, or name another relay of the publisher with --relay.' },
  'no-relay': { code: 'not-found', message: 'No relay is known to ask. Name one of the publisher with --relay KEY@HOST:PORT, or add one of your own.' },
  'unknown': { code: 'not-found', message: 'Nothing is published under this name, as far as the relays know. Check the name, or name a relay of the publisher with --relay KEY@HOST:PORT.' },
  'withdrawn': { code: 'not-found', message: 'The publisher has withdrawn what was under this name.' },
  'too-large': { code: 'file-too-large', message: `What is published under this name is larger than ${sizeWords(fileMaximumBytes)}, which is the most that Waypost fetches.` },
  'disk-full': { code: 'disk-full', message: 'The disk is full, or failing. What has come is kept for a day; free some space and try again.' },
  'damaged': { code: 'file-damaged', message: 'What came was damaged on this disk, again and again. Check the disk, then try again.' },
};

export function createNameHandlers(context: ApiContext): Handlers['names'] {
  const look = (publicKey: string, name: string): NamedFetchStatus => {
    const status = context.inspect().namedFetch(publicKey, name);
    if (status === undefined) throw new WaypostError('not-found', 'Nothing is fetched under this name. Begin anew.');
    return status;
  };
  return {
    async publish({ name, path: file, mediaType }) {
      requireName(name);
      requireAbsolute(file);
      if (mediaType !== undefined && !mediaTypePattern.test(mediaType)) throw new WaypostError('invalid-argument', 'This is no media type. Write one such as text/plain, or leave it out.');
      const { name: content } = await context.blobs.importFile(file, undefined, { signal: context.stopping });
      const type = mediaType ?? mediaTypeOf(path.basename(file), await headOf(file));
      try {
        await context.command({ name: 'publish', path: name, content, mediaType: type });
      } catch (error) {
        if (!isPublished(context, content)) await new Promise<void>((resolve) => { context.blobs.submit<'delete'>({ op: 'delete', name: content }, () => { resolve(); }); });
        throw error;
      }
      await context.blobs.claim(content);
      const published = context.inspect().published().find(({ row }) => row.path === name);
      if (published === undefined) throw new WaypostError('not-found', 'What was published has been taken back meanwhile.');
      return presentPublished(context, published);
    },

    list() {
      return Promise.resolve({ published: context.inspect().published().map((status) => presentPublished(context, status)) });
    },

    async unpublish({ name }) {
      requireName(name);
      await context.command({ name: 'unpublish', path: name });
      return undefined;
    },

    async fetch({ publicKey, name, relay: hint }) {
      requireName(name);
      const relay = hint === undefined ? undefined : parseRelayHint(hint);
      if (hint !== undefined && relay === undefined) throw new WaypostError('bad-relay', 'This is not the link of a relay. It is written key@host:port.');
      await context.command({ name: 'fetch-named', publicKey, path: name, relay, begin: true });
      return presentFetch(context, publicKey, name, look(publicKey, name));
    },

    async fetched({ publicKey, name }) {
      requireName(name);
      await context.command({ name: 'fetch-named', publicKey, path: name, relay: undefined, begin: false });
      return presentFetch(context, publicKey, name, look(publicKey, name));
    },

    async save({ publicKey, name, path: target }) {
      requireName(name);
      requireAbsolute(target);
      const { found, state } = look(publicKey, name);
      if (found === undefined || state.state !== 'ready') throw new WaypostError('file-not-here', 'This is not all here yet. Fetch it first.');
      await context.blobs.exportFile(found.content, undefined, found.content.length, target);
      return { path: target };
    },

    async end({ publicKey, name }) {
      requireName(name);
      await context.command({ name: 'end-fetch-named', publicKey, path: name });
      return undefined;
    },
  };
}

/** Before a large file is copied for nothing. */
function requireName(name: string): void {
  if (!isNamePath(name)) throw new WaypostError('bad-name', 'A name has 1 to 128 lower-case letters, digits, ".", "-", "_" and "/", with something other than dots between the slashes. Choose another one.');
}

/** While no engine runs nobody knows, and then nothing is deleted. */
function isPublished(context: ApiContext, content: ContentName): boolean {
  try {
    return context.inspect().published().some((status) => equalBytes(status.content.root, content.root));
  } catch {
    return true;
  }
}

const fileNameOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

function presentPublished(context: ApiContext, { row, content, file }: PublishedStatus): PublishedView {
  const inspect = context.inspect();
  const own = inspect.relays.filter((relay) => relay.leavingUntilWallMs === undefined).map((relay) => relay.row);
  const shown = own.some(({ role }) => role === 'own') ? own.filter(({ role }) => role === 'own') : own;
  return {
    name: row.path,
    hints: shown.map(({ publicKey, host, port }) => formatRelayHint({ publicKey, host, port })),
    sequence: row.sequence,
    publishedAtMs: row.publishedAtMs,
    expiresAtMs: row.notAfterSeconds * 1_000,
    file: presentFileStatus({ name: fileNameOf(row.path), mediaType: row.mediaType, sizeBytes: content.length }, file, inspect),
  };
}

function presentFetch(context: ApiContext, publicKey: string, name: string, { found, state, failure }: NamedFetchStatus): NamedFetchView {
  return {
    publicKey,
    name,
    ...(found === undefined ? {} : {
      sequence: found.sequence,
      file: presentFileStatus({ name: fileNameOf(name), mediaType: found.mediaType, sizeBytes: found.content.length }, { state, holders: [] }, context.inspect()),
    }),
    ...(failure === undefined ? {} : { failure: failures[failure] }),
  };
}
