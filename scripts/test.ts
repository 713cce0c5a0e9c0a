/** `npm test`: every suite at the size for every change. */
import { runSuites } from './run-suites.ts';
import { shortEffort, stepsFor } from './suites.ts';

process.exitCode = await runSuites(stepsFor(shortEffort));
