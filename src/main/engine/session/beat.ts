/** The shortest frame there is (docs/protocol.md, section 2): a keepalive and its answer. The session's packet numbers and tags make it fresh and authentic; the number tells answers apart. */

const beatKind = 4;
const answerKind = 5;
const beatBytes = 2;

export const isBeat = (frame: Uint8Array): boolean => frame.length === beatBytes && (frame[0] === beatKind || frame[0] === answerKind);
export const encodeBeat = (number: number): Uint8Array => Uint8Array.of(beatKind, number);
export const encodeBeatAnswer = (number: number): Uint8Array => Uint8Array.of(answerKind, number);
/** Of a frame that is one. */
export const readBeat = (frame: Uint8Array): { readonly isAnswer: boolean; readonly number: number } => ({ isAnswer: frame[0] === answerKind, number: frame[1] ?? 0 });
