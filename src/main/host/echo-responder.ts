/**
 * Echo's whole behaviour: accepts everybody and answers each text with itself. It goes by the inbox's row, kept in a file, so that what came
 * while it was away is answered when it is back, once.
 */
import { z } from 'zod';
import type { Client } from '../../shared/contract.ts';
import { messageMaximumBytes } from '../../shared/views.ts';
import { utf8Encode } from '../engine/wire/bytes.ts';
import { readSmallFile, writeFileAtomically } from './atomic-file.ts';

const prefix = 'Echo: ';
const pageSize = 50;
/** Patches wake it; this is for whatever no patch told of. */
const lookAgainMs = 5_000;
const cursorMaximumBytes = 1_024;
const cursorSchema = z.object({ row: z.number().int().nonnegative() });

export interface EchoResponder {
  stop(): Promise<void>;
}

/** Cut so that the answer to the longest message is still a message. */
export function echoText(text: string): string {
  let answer = prefix + text;
  for (let excess = utf8Encode(answer).length - messageMaximumBytes; excess > 0; excess = utf8Encode(answer).length - messageMaximumBytes) {
    // A character has at most three bytes per UTF-16 unit, so this never cuts too much; a lone half of a pair is dropped.
    answer = answer.slice(0, answer.length - Math.ceil(excess / 3)).replace(/[\ud800-\udbff]$/, '');
  }
  return answer;
}

async function readCursor(file: string): Promise<number> {
  try {
    return cursorSchema.parse(JSON.parse((await readSmallFile(file, cursorMaximumBytes)) ?? '{"row":0}')).row;
  } catch {
    // Damaged: answering again is better than never.
    return 0;
  }
}

export async function startEchoResponder(client: Client, cursorFile: string): Promise<EchoResponder> {
  let row = await readCursor(cursorFile);
  let isStopped = false;
  let wake = (): void => undefined;
  const unsubscribe = client.state.onPatch((patch) => {
    if (patch.changes.some((change) => change.kind === 'message' || change.kind === 'conversation')) wake();
  });

  const acceptAll = async (): Promise<void> => {
    const { view } = await client.state.snapshot();
    for (const conversation of view.conversations) if (conversation.standing === 'request') await client.contacts.accept({ publicKey: conversation.publicKey });
  };

  const answerAll = async (): Promise<void> => {
    for (;;) {
      const { messages, nextRow } = await client.messages.inbox({ afterRow: row, limit: pageSize });
      if (messages.length === 0 || isStopped) return;
      for (const message of messages) await client.messages.send({ to: message.conversationId, text: echoText(message.text) });
      row = nextRow;
      await writeFileAtomically(cursorFile, `${JSON.stringify({ row })}\n`);
    }
  };

  const loop = async (): Promise<void> => {
    while (!isStopped) {
      const woken = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, lookAgainMs);
        wake = () => { clearTimeout(timer); resolve(); };
      });
      try {
        await acceptAll();
        await answerAll();
      } catch {
        // The visor says by itself what is wrong with it; Echo tries again.
      }
      await woken;
    }
  };
  const running = loop();

  return {
    async stop() {
      isStopped = true;
      unsubscribe();
      wake();
      await running;
    },
  };
}
