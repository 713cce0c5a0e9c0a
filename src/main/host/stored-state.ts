/** What an engine starts from: rows, mailboxes and contents as the stores hold them. */
import { WaypostError } from '../../shared/errors.ts';
import type { BlobInfo } from '../engine/files/blob-store.ts';
import type { StartArguments } from '../engine/engine-types.ts';
import type { BlobSubmitter, DriverOptions } from './driver-options.ts';

/** @throws WaypostError when files cannot be read, and whatever the store throws */
export async function readStored({ configuration, store, blobs, clock }: DriverOptions): Promise<Pick<StartArguments, 'state' | 'mail' | 'blobs'>> {
  const state = await store.load();
  const mail = configuration.relay === undefined ? undefined : await store.openMail({ op: 'open', freshEpoch: configuration.random(8), wallMs: clock.now().wallMs });
  const held = configuration.relay === undefined ? [] : await loadBlobs(blobs['held-blobs']);
  return { state, mail, blobs: { own: await loadBlobs(blobs['own-blobs']), held } };
}

function loadBlobs(shelf: BlobSubmitter): Promise<readonly BlobInfo[]> {
  return new Promise((resolve, reject) => {
    shelf.submit<'load'>({ op: 'load' }, (result) => {
      if (result.ok) resolve(result.value);
      else reject(new WaypostError('profile-unwritable', 'The folder of files cannot be read. Check that the disk works and that Waypost may read its folder.'));
    });
  });
}
