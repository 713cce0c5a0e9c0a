/** The version people are asked for when they report something. */
import { version } from '../../../../package.json';

export const appVersion = version;
