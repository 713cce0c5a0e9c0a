/** What the person says about their relays: pin, ban, put in order, test. Each is committed before it is answered; other ones of relays are in visor-commands.ts. */
import { WaypostError } from '../../shared/errors.ts';
import type { RelayTrialView } from '../../shared/relay-trial.ts';
import type { EngineCommand } from './command-types.ts';
import type { RelayRow, VisorChange } from './mail/visor-store.ts';
import type { Instant } from './wire/types.ts';
import type { VisorRole } from './visor-role.ts';

/** Banned relays that are remembered. */
const bannedMaximum = 32;
/** Own relays in use, as many as may be added (visor-commands.ts). */
export const relaysMaximum = 8;

type RelayCommand = Extract<EngineCommand, { name: 'choose-relay' | 'order-relays' | 'test-relay' }>;
type Fail = (error: WaypostError) => void;

export function runRelayCommand(role: VisorRole, command: RelayCommand, now: Instant, done: (value: RelayTrialView | undefined) => void, fail: Fail): void {
  switch (command.name) {
    case 'choose-relay': choose(role, command, () => { done(undefined); }, fail); return;
    case 'order-relays': order(role, command, () => { done(undefined); }, fail); return;
    case 'test-relay': test(role, command.publicKey, now, done, fail); return;
  }
}

function choose(role: VisorRole, { publicKey, choice }: Extract<RelayCommand, { name: 'choose-relay' }>, done: () => void, fail: Fail): void {
  const { relays, bannedRelays } = role.context.memory;
  const row = relays.get(publicKey) ?? bannedRelays.get(publicKey);
  if (row === undefined) { fail(new WaypostError('not-found', 'This relay is not one of yours.')); return; }
  if (row.role === 'local') { fail(new WaypostError('refused', 'The relay inside this app is always used, after all others. It can be neither pinned nor banned.')); return; }
  if (choice === 'pinned' && row.leavingSinceMs !== undefined) { fail(new WaypostError('refused', 'You have removed this relay. Add it again first.')); return; }
  if (choice === 'banned' && !bannedRelays.has(publicKey) && bannedRelays.size >= bannedMaximum) { fail(new WaypostError('refused', 'There are 32 banned relays already. Forget one of them first.')); return; }
  if (choice !== 'banned' && row.choice === 'banned' && role.relays.configured.length >= relaysMaximum) { fail(new WaypostError('refused', 'You have 8 relays already. Remove one before you use this one again.')); return; }
  if (row.choice === choice) { done(); return; }
  // A ban ends a removal that is under way: nothing is fetched there any more.
  commit(role, [{ ...row, choice, ...(choice === 'banned' ? { leavingSinceMs: undefined, rank: undefined } : {}) }], done);
}

function order(role: VisorRole, { publicKeys, others }: Extract<RelayCommand, { name: 'order-relays' }>, done: () => void, fail: Fail): void {
  const rows: RelayRow[] = [];
  for (const publicKey of new Set(publicKeys)) {
    const row = role.context.memory.relays.get(publicKey);
    if (row === undefined || row.leavingSinceMs !== undefined) { fail(new WaypostError('not-found', 'One of these relays is not in use any more. Look at the list again.')); return; }
    rows.push(row);
  }
  // Where the person put them: one that is the last for a while, because it does not keep its word, has its place still.
  const before = role.records.relaysInOrder().map((row, index) => ({ row, rank: row.rank ?? 1_000 + index })).sort((left, right) => left.rank - right.rank).map(({ row }) => row);
  const named = new Set(rows);
  const after = others === 'stay' ? before.map((row) => (named.has(row) ? rows.shift() ?? row : row)) : [...rows, ...before.filter((row) => !named.has(row))];
  const changed = after.flatMap((row, rank) => (row.rank === rank ? [] : [{ ...row, rank }]));
  if (changed.length === 0) done();
  else commit(role, changed, done);
}

function commit(role: VisorRole, rows: readonly RelayRow[], done: () => void): void {
  role.context.commit(rows.map((row): VisorChange => ({ kind: 'put-relay', row })), {
    announce: [...role.allRelays().map((publicKey) => ({ kind: 'relay', publicKey }) as const), { kind: 'connection' }, { kind: 'notices' }],
    done: (_applied, at) => { role.relaysChanged(at); done(); },
  });
}

function test(role: VisorRole, publicKey: string, now: Instant, done: (value: RelayTrialView) => void, fail: Fail): void {
  const row = role.context.memory.relays.get(publicKey);
  if (role.context.memory.bannedRelays.has(publicKey)) { fail(new WaypostError('refused', 'You have banned this relay, so nothing is sent to it. Use it again first.')); return; }
  if (row === undefined) { fail(new WaypostError('not-found', 'This relay is not one of yours.')); return; }
  if (row.leavingSinceMs !== undefined) { fail(new WaypostError('refused', 'You have removed this relay, so there is nothing to test.')); return; }
  if (role.revoked) { fail(new WaypostError('device-revoked', 'This identity was restored on another device, so this one no longer uses relays.')); return; }
  role.trials.start(row, now, done);
}
