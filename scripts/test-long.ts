/** `npm run test:long`: every suite at the size for a release. */
import { longEffort, runSuites } from './suites.ts';

process.exitCode = await runSuites(longEffort);
