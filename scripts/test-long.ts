/** `npm run test:long`: every suite at the size for a release. */
import { randomInt } from 'node:crypto';
import { runSuites } from './run-suites.ts';
import { longEffort, stepsFor } from './suites.ts';

process.env['WAYPOST_PROPERTY_SEED'] ??= String(randomInt(2 ** 31));
process.stdout.write(`Property tests draw from WAYPOST_PROPERTY_SEED=${process.env['WAYPOST_PROPERTY_SEED']}.\n`);

process.exitCode = await runSuites(stepsFor(longEffort));
