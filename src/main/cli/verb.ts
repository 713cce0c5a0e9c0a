/** A verb of the command line: its options are declared by commander, its action gets the environment, and its errors become sentences. */
import type { Command } from 'commander';
import { WaypostError } from '../../shared/errors.ts';
import { errorFields } from '../diagnostics/ring-log.ts';
import { addCommonOptions, createEnvironment, type Environment } from './environment.ts';
import { describeError, exitCodeOf } from './terminal.ts';

/** Declares a verb with the options that all have. `usage` is its name with arguments, as commander writes them. */
export function addVerb(program: Command, usage: string, description: string): Command {
  return addCommonOptions(program.command(usage).description(description));
}

/** Runs a verb's action; every failure ends in one sentence on the error stream and an exit code, never in a stack trace. */
export async function runVerb(command: Command, action: (environment: Environment) => Promise<void>): Promise<void> {
  try {
    await action(createEnvironment(command));
  } catch (error) {
    const { json, verbose } = command.optsWithGlobals<{ json?: boolean; verbose?: boolean }>();
    if (verbose === true && !(error instanceof WaypostError)) process.stderr.write(`${JSON.stringify(errorFields(error))}\n`);
    process.stderr.write(`${describeError(error, json === true)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
