/** The words behind a router's kind, as typed values, and which of them a kind has a use for. */
import { plainKinds, type NatKind, type RouterOptions } from './model.ts';
import { nameAndValue } from './settings.ts';
import { dependences, portControls, refreshes } from './translator/policy.ts';
import { misuse } from './usage-error.ts';

const portChoices = ['random', 'preserve', 'sequential', 'block'] as const;
/** Of a day. */
const secondsMaximum = 86_400;
const deltaMaximum = 1_000;
/** What carriers give their subscribers. */
const block = { minimum: 16, maximum: 4_096 } as const;

/** Takes the value behind the equals sign; undefined: it is none. */
type Reader = (value: string) => RouterOptions | undefined;

const oneOf = <Word extends string>(known: readonly Word[], options: (word: Word) => RouterOptions): Reader => (value) => {
  const word = known.find((each) => each === value);
  return word === undefined ? undefined : options(word);
};

const wholeNumber = (minimum: number, maximum: number, options: (value: number) => RouterOptions): Reader => (text) => {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= minimum && value <= maximum ? options(value) : undefined;
};

const readers: Readonly<Record<string, Reader>> = {
  hairpin: oneOf(['on', 'off'], (word) => ({ hairpin: word === 'on' })),
  ports: oneOf(portChoices, (ports) => ({ ports })),
  timeout: wholeNumber(1, secondsMaximum, (timeoutSeconds) => ({ timeoutSeconds })),
  inner: oneOf(plainKinds.filter((kind) => kind !== 'none'), (inner) => ({ inner })),
  carrier: oneOf(plainKinds, (carrier) => ({ carrier })),
  mapping: oneOf(dependences, (mapping) => ({ mapping })),
  filtering: oneOf(dependences, (filtering) => ({ filtering })),
  delta: wholeNumber(1, deltaMaximum, (deltaPorts) => ({ deltaPorts })),
  block: wholeNumber(block.minimum, block.maximum, (blockPorts) => ({ blockPorts })),
  refresh: oneOf(refreshes, (refresh) => ({ refresh })),
  'port-control': oneOf(portControls, (portControl) => ({ portControl })),
  grant: wholeNumber(1, secondsMaximum, (grantMaximumSeconds) => ({ grantMaximumSeconds })),
  ipv6: oneOf(['firewall', 'open'], (ipv6) => ({ ipv6 })),
  tcp: oneOf(['any', '443'], (tcp) => ({ tcp })),
};

/** @throws UsageError */
export function parseRouterOptions(words: readonly string[]): RouterOptions {
  let options: RouterOptions = {};
  for (const word of words) {
    const [name, value] = nameAndValue(word);
    const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
    options = { ...options, ...(read?.(value) ?? misuse(`unknown router option '${word}'`)) };
  }
  return options;
}

const translatorOptions = ['mapping', 'filtering', 'deltaPorts', 'blockPorts', 'refresh', 'portControl', 'grantMaximumSeconds'] as const satisfies readonly (keyof RouterOptions)[];

/** What a kind has no use for would be a promise that is not kept. @throws UsageError */
export function checkOptions(kind: NatKind, options: RouterOptions): void {
  if (kind !== 'translator') {
    const foreign = translatorOptions.find((name) => options[name] !== undefined);
    if (foreign !== undefined) misuse(`${foreign} is a setting of the kind translator, not of ${kind}`);
    if (options.ports === 'sequential' || options.ports === 'block') misuse(`ports=${options.ports} is a setting of the kind translator, not of ${kind}`);
  }
  if (kind !== 'udp-blocked' && options.tcp !== undefined) misuse(`tcp is a setting of the kind udp-blocked, not of ${kind}`);
  if (kind !== 'cgnat' && (options.inner !== undefined || options.carrier !== undefined)) misuse(`inner and carrier are settings of the kind cgnat, not of ${kind}`);
}
