#!/usr/bin/env node
/** The `waypost` command: the same launcher as everything else, on the entry of the command line. */
import path from 'node:path';
import process from 'node:process';
import { projectRoot, run } from './launch.mjs';

await run(path.join(projectRoot, 'src/main/cli/index.ts'), process.argv.slice(2));
