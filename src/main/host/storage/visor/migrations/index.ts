/** All migrations of the visor database, in order. A released migration is never changed: later ones are added. */
import type { Migration } from '../../migrations.ts';
import { initialVisor } from './0001-initial.ts';
import { leavingRelays } from './0002-leaving-relays.ts';
import { files } from './0003-files.ts';
import { published } from './0004-published.ts';
import { fileCopies } from './0005-file-copies.ts';
import { relayChoices } from './0006-relay-choices.ts';

export const visorMigrations: readonly Migration[] = [initialVisor, leavingRelays, files, published, fileCopies, relayChoices];
