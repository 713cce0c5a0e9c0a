/** The thread that lab-aside.ts starts. */
import { parentPort, workerData } from 'node:worker_threads';
import type { AsideWork } from './lab-aside.ts';
import { faultLaboratories } from './lab-fault-table.ts';
import { faults } from './lab-faults.ts';
import { inLabs } from './lab-laboratory.ts';

const { labName, names, options } = workerData as AsideWork;
const rows = await inLabs(labName, faultLaboratories(faults.filter(({ name }) => names.includes(name)), options).slow, options.isJson);
parentPort?.postMessage(rows.map(({ problems }) => ({ problems })));
