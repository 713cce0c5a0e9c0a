/**
 * Imported before everything else: tells zod not to compile validators with `new Function`, which the content security policy refuses
 * and would report as a violation even though zod survives it.
 */
import { config } from 'zod';

config({ jitless: true });
