/**
 * Property tests draw from one seed: `npm test` always from the same, so that a result can be told from another; `WAYPOST_PROPERTY_SEED=N`
 * (any number; `npm run test:long` draws one and prints it) looks elsewhere.
 */
import fc from 'fast-check';

const usualSeed = 20_261_121;
const chosen = Number(process.env['WAYPOST_PROPERTY_SEED'] ?? usualSeed);

fc.configureGlobal({ seed: Number.isSafeInteger(chosen) ? chosen : usualSeed });
