/** `waypost metered`: whether bytes are to be spared. What a person sets in the window otherwise concerns people at windows. */
import type { Command } from 'commander';
import { meteredSentence } from '../../../shared/metered-sentence.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { addVerb, runVerb } from '../verb.ts';

function switchOf(text: string): boolean {
  if (text !== 'on' && text !== 'off') throw new WaypostError('invalid-argument', 'Say "waypost metered on" or "waypost metered off".');
  return text === 'on';
}

export function addSettingsVerbs(program: Command): void {
  addVerb(program, 'metered [switch]', 'whether the line costs money, so that less is sent while nobody writes: on or off')
    .action((text: string | undefined, _options: unknown, command: Command) => runVerb(command, async (environment) => {
      const wanted = text === undefined ? undefined : switchOf(text);
      await environment.withVisor(async ({ client }) => {
        const metered = wanted === undefined ? (await client.state.snapshot()).view.settings.metered : (await client.settings.update({ metered: wanted })).metered;
        environment.terminal.result(meteredSentence(metered), { metered });
      });
    }));
}
