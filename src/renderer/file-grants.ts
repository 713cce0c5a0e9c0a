/**
 * How this window gets files: the person drops, pastes or chooses them, and the preload answers with grants. Errors are those of the contract.
 * In a plain browser the in-memory double stands in for the preload.
 */
import { grantedFileSchema, type GrantedFile } from '../shared/contract.ts';
import { WaypostError } from '../shared/errors.ts';
import { pickedFilesSchema, type PickedFiles } from '../shared/file-grants.ts';
import type { Reply } from '../shared/transport.ts';

/** What the preload exposes. */
export interface FileGrantPipe {
  grantFile(file: File): Promise<Reply>;
  pickFiles(): Promise<Reply>;
  /** The person took it out again. */
  releaseGrant(grant: string): void;
}

export interface FileGrants {
  /** @throws WaypostError with a sentence for the person. */
  grant(file: File): Promise<GrantedFile>;
  /** Asks the person; nothing chosen is an empty list. */
  pick(): Promise<PickedFiles>;
  release(grant: string): void;
}

function valueOf(reply: Reply): unknown {
  if (reply.ok) return reply.value;
  throw new WaypostError(reply.error.code, reply.error.message);
}

export const createFileGrants = (pipe: FileGrantPipe): FileGrants => ({
  grant: async (file) => grantedFileSchema.parse(valueOf(await pipe.grantFile(file))),
  pick: async () => pickedFilesSchema.parse(valueOf(await pipe.pickFiles())),
  release: (grant) => pipe.releaseGrant(grant),
});
