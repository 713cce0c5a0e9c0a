/** All migrations of the mail database, in order. A released migration is never changed: later ones are added. */
import type { Migration } from '../../migrations.ts';
import { initialMail } from './0001-initial.ts';
import { blobsMail } from './0002-blobs.ts';
import { namedRecordsMail } from './0003-named-records.ts';

export const mailMigrations: readonly Migration[] = [initialMail, blobsMail, namedRecordsMail];
