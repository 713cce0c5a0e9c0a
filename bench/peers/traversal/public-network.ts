/**
 * Lets libp2p take the laboratory's public network for the public internet; loaded before any module of libp2p. Nothing else is changed than two lines:
 *
 *  - The addresses are 198.18.0.0/15, set aside for tests, which libp2p counts among the private ones: it neither punches to them nor remembers them as its own. That
 *    range is taken from its list.
 *  - AutoNAT believes an address of its own when four servers confirm it whose addresses differ in the first number. Here all public addresses begin alike: they count
 *    as different when they differ at all.
 *
 * HyperDHT needs nothing of the kind: it looks at such ranges only between hosts behind one NAT.
 */
import { registerHooks } from 'node:module';

const changes = [
  { file: '/@libp2p/utils/dist/src/private-ip.js', before: "'198.18.0.0/15',", after: '' },
  { file: '/@libp2p/autonat/dist/src/autonat.js', before: "octets[0].padStart(3, '0')", after: "octets.join('.')" },
];

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const change = changes.find(({ file }) => url.endsWith(file));
    if (change === undefined || loaded.source === undefined) return loaded;
    const text = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
    if (!text.includes(change.before)) throw new Error(`libp2p is another version than this was written for: ${change.file} does not say ${change.before}`);
    return { ...loaded, source: text.replace(change.before, change.after) };
  },
});
