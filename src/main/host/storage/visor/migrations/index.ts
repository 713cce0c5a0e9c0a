/** All migrations of the visor database, in order. A released migration is never changed: later ones are added. */
import type { Migration } from '../../migrations.ts';
import { initialVisor } from './0001-initial.ts';

export const visorMigrations: readonly Migration[] = [initialVisor];
