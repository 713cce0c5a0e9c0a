/** Finds what fits what was typed: every word somewhere in the title, accents and case aside; titles that begin with it first. Pure. */

export const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

export function filterByTitle<T extends { readonly title: string }>(items: readonly T[], query: string): readonly T[] {
  const wanted = plain(query.trim());
  if (wanted === '') return items;
  const words = wanted.split(/\s+/);
  const found = items.filter((item) => words.every((word) => plain(item.title).includes(word)));
  const begins = (item: T): boolean => plain(item.title).startsWith(wanted);
  return [...found.filter(begins), ...found.filter((item) => !begins(item))];
}
