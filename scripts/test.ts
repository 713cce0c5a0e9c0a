/** `npm test`: every suite at the size for every change. */
import { runSuites, shortEffort } from './suites.ts';

process.exitCode = await runSuites(shortEffort);
