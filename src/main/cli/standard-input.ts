/** Reads the text that a verb was told to take from the input stream, bounded. */
import { WaypostError } from '../../shared/errors.ts';
import { utf8Decode } from '../engine/wire/bytes.ts';

/** @throws WaypostError `message-too-large` beyond `mostBytes`, `invalid-argument` when it is not UTF-8. */
export async function readStandardInput(mostBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of process.stdin) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk), 'utf8');
    sizeBytes += bytes.length;
    if (sizeBytes > mostBytes) throw new WaypostError('message-too-large', `The input is longer than ${mostBytes} bytes. Split it.`);
    chunks.push(bytes);
  }
  const text = utf8Decode(Uint8Array.from(Buffer.concat(chunks)));
  if (text === undefined) throw new WaypostError('invalid-argument', 'The input is not text in UTF-8.');
  return text;
}
