/** Dots, monograms and fingerprints. */
import { fingerprintGroups, type Tone } from '../../shared/sentences.ts';

/** Shape and colour both change with the tone; the sentence beside it carries the meaning. */
export function Dot({ tone }: { readonly tone: Tone }) {
  return <span className={`dot dot--${tone}`} aria-hidden />;
}

const letters = new Intl.Segmenter();
const firstLetter = (word: string): string => letters.segment(word).containing(0)?.segment ?? '';

function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => word !== '');
  const first = firstLetter(words[0] ?? '?');
  const last = words.length > 1 ? firstLetter(words.at(-1) ?? '') : '';
  return `${first}${last}`.toUpperCase();
}

export function Monogram({ name }: { readonly name: string }) {
  return <span className="monogram" aria-hidden>{initials(name)}</span>;
}

export function Fingerprint({ fingerprint }: { readonly fingerprint: string }) {
  return <span className="fingerprint">{fingerprintGroups(fingerprint).map((group, index) => <span key={index}>{group} </span>)}</span>;
}
