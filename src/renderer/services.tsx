/** What every component may use: the client of the contract, the sync, and a way to run a call whose failure becomes a sentence on screen. */
import { createContext, use, useMemo, type ReactNode } from 'react';
import type { Client } from '../shared/contract.ts';
import type { FileGrants } from './file-grants.ts';
import { navigation } from './navigation.ts';
import type { Sync } from './sync.ts';

export interface Services {
  readonly client: Client;
  readonly files: FileGrants;
  readonly sync: Sync;
  /** Runs a call; a failure is shown as a toast and resolves to undefined. */
  readonly run: <T>(action: () => Promise<T>) => Promise<T | undefined>;
}

const ServicesContext = createContext<Services | undefined>(undefined);

/** Errors of the contract carry a sentence for people; anything else has no text worth showing. */
export const errorSentence = (thrown: unknown): string => (thrown instanceof Error && thrown.message !== '' ? thrown.message : 'Something went wrong. Please try again.');

export function ServicesProvider({ client, files, sync, children }: { readonly client: Client; readonly files: FileGrants; readonly sync: Sync; readonly children: ReactNode }) {
  const services = useMemo<Services>(() => ({
    client,
    files,
    sync,
    run: async (action) => {
      try {
        return await action();
      } catch (thrown) {
        navigation.toast('danger', errorSentence(thrown));
        return undefined;
      }
    },
  }), [client, files, sync]);
  return <ServicesContext value={services}>{children}</ServicesContext>;
}

export function useServices(): Services {
  const services = use(ServicesContext);
  if (services === undefined) throw new Error('A component is used outside of ServicesProvider.');
  return services;
}
