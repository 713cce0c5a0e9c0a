/** The relays of the in-memory double: added, removed, chosen, put in order, and tested with a step every so often. A test fails where the sample of the relay says so. */
/* eslint-disable @typescript-eslint/require-await -- the contract is asynchronous, memory is not */
import type { Handlers } from '../../shared/contract.ts';
import { WaypostError } from '../../shared/errors.ts';
import { relayTrialSteps, type RelayTrialStep, type RelayTrialView } from '../../shared/relay-trial.ts';
import type { Change } from '../../shared/views.ts';
import type { RelayView } from '../../shared/relay-views.ts';

const stepMs = 250;
const tookMs: Readonly<Record<RelayTrialStep, number>> = { address: 0.2, answer: 24, handshake: 0, identity: 0, mailbox: 51, left: 26, back: 44 };
/** Of one that is out of reach or refuses. */
const failures: Readonly<Partial<Record<RelayView['state'], readonly [RelayTrialStep, NonNullable<RelayTrialView['failure']>]>>> = { unreachable: ['answer', 'no-answer'], refused: ['mailbox', 'mailbox-refused'] };

export function createRelays(all: () => readonly RelayView[], change: (changes: readonly Change[]) => void): Handlers['relays'] {
  const find = (publicKey: string): RelayView => {
    const found = all().find((relay) => relay.publicKey === publicKey);
    if (found === undefined) throw new WaypostError('not-found', 'This relay is not one of yours.');
    return found;
  };
  const update = (publicKey: string, next: Partial<RelayView>): void => change([{ kind: 'relay', value: { ...find(publicKey), ...next } }]);
  /** Pinned ones first, as the engine has them; numbers without gaps. */
  const number = (relays: readonly RelayView[]): void => {
    const inUse = relays.filter((relay) => isInUse(relay) && relay.role === 'own').toSorted((one, other) => Number(other.choice === 'pinned') - Number(one.choice === 'pinned') || (one.place ?? 99) - (other.place ?? 99));
    change(relays.map((relay) => {
      const place = inUse.indexOf(relay);
      const { place: _place, isTold: _isTold, ...rest } = relay;
      return { kind: 'relay', value: place < 0 ? rest : { ...rest, place, isTold: place < 3 } };
    }));
  };
  return {
    add: async ({ hint }) => {
      const match = /^(0[23][0-9a-f]{64})@(.+):\d{1,5}$/.exec(hint.trim());
      if (match?.[1] === undefined || match[2] === undefined) throw new WaypostError('bad-relay', 'A relay is written as key@host:port. Copy it again, from the first to the last character.');
      const relay: RelayView = { publicKey: match[1], address: hint.slice(67), name: match[2], role: 'own', state: 'connecting', problem: '', roundTripsMs: [] };
      number([...all().filter(({ publicKey }) => publicKey !== relay.publicKey), relay]);
      return undefined;
    },
    remove: async ({ publicKey }) => {
      change([{ kind: 'relay-removed', publicKey }]);
      number(all());
      return undefined;
    },
    choose: async ({ publicKey, choice }) => {
      const { choice: _choice, ...rest } = find(publicKey);
      const next: RelayView = choice === 'normal' ? { ...rest, state: rest.state === 'idle' ? 'connecting' : rest.state }
        : choice === 'pinned' ? { ...rest, choice } : { publicKey, address: rest.address, name: rest.name, role: rest.role, state: 'idle', problem: '', roundTripsMs: [], choice };
      number(all().map((relay) => (relay.publicKey === publicKey ? next : relay)));
      return undefined;
    },
    order: async ({ publicKeys }) => {
      // Those that change places do so among themselves.
      const slots = publicKeys.map((publicKey) => find(publicKey).place ?? 99).toSorted((one, other) => one - other);
      number(all().map((relay) => { const index = publicKeys.indexOf(relay.publicKey); return index < 0 ? relay : { ...relay, place: slots[index] ?? 99 }; }));
      return undefined;
    },
    test: async ({ publicKey }) => {
      const failure = failures[find(publicKey).state];
      const startedAtMs = Date.now();
      const states = new Map<RelayTrialStep, RelayTrialView['steps'][number]>();
      const view = (isRunning: boolean): RelayTrialView => ({ startedAtMs, isRunning, steps: relayTrialSteps.map((step) => states.get(step) ?? { step, state: 'waiting' }), ...(isRunning || failure === undefined ? {} : { failure: failure[1] }) });
      for (const step of relayTrialSteps) {
        states.set(step, { step, state: 'running' });
        update(publicKey, { trial: view(true) });
        await new Promise((resolve) => { setTimeout(resolve, stepMs); });
        const isLast = failure?.[0] === step;
        states.set(step, isLast ? { step, state: 'failed', tookMs: 8_000 } : { step, state: 'passed', tookMs: tookMs[step] });
        if (isLast) break;
      }
      update(publicKey, { trial: view(false) });
      return view(false);
    },
  };
}

const isInUse = ({ choice, leavingUntilMs }: RelayView): boolean => choice !== 'banned' && leavingUntilMs === undefined;
