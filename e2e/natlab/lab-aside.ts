/** Runs the slow cells of the fault table in a thread of their own (lab-aside-thread.ts): to build and to read a laboratory keeps the thread busy that does it, and letters would not be written meanwhile. */
import { once } from 'node:events';
import { startThread } from '../../src/main/host/thread.ts';
import type { TableOptions, TableRow } from './lab-lanes.ts';

/** What the thread is told; it looks faults up by their names. */
export interface AsideWork { readonly labName: string; readonly names: readonly string[]; readonly options: TableOptions }

/** @throws Error when the thread fails. */
export async function runSlowAside(work: AsideWork): Promise<readonly TableRow[]> {
  const thread = startThread(new URL('lab-aside-thread.ts', import.meta.url), { workerData: work });
  const [rows] = await once(thread, 'message') as [readonly TableRow[]];
  return rows;
}
