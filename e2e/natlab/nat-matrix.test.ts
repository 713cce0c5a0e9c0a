/** The matrix is whole: a later test that goes through it misses no pair. */
import { expect, test } from 'vitest';
import { kindBehaviours, matrixKinds, natMatrix, translatorOptions } from './nat-matrix.ts';
import { checkOptions } from './router-options.ts';

test('every pair of the six kinds is in the matrix once, in its upper triangle', () => {
  const pairs = matrixKinds.flatMap((left, row) => matrixKinds.slice(row).map((right) => `${left} ${right}`));
  expect(natMatrix.map(({ left, right }) => `${left} ${right}`)).toEqual(pairs);
  expect(pairs).toHaveLength(21);
});

test('the six kinds behave differently, and each is one that a translator can be', () => {
  expect(new Set(matrixKinds.map((kind) => `${kindBehaviours[kind].mapping} ${kindBehaviours[kind].filtering}`)).size).toBe(matrixKinds.length);
  for (const kind of matrixKinds) expect(() => { checkOptions('translator', translatorOptions(kind)); }).not.toThrow();
});

test('a filter that lets nobody else in leaves nothing to hear: only an open one is a listener', () => {
  for (const { left, right, listener } of natMatrix) {
    if (listener !== undefined) expect(kindBehaviours[listener === 'left' ? left : right].filtering).toBe('independent');
  }
});
