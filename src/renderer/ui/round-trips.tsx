/** The last 64 round trips as a line with gaps for lost echoes, and the same in words for those who do not see it. */
import { countOf, roundTripWords } from '../../shared/quantities.ts';
import { sparklineShape } from './sparkline.ts';

const slots = 64;
const width = 126;
const height = 36;

function summary(samples: readonly (number | null)[], switches: number): string {
  if (samples.length === 0) return 'No round trips measured yet';
  const measured = samples.filter((sample) => sample !== null);
  const lost = samples.length - measured.length;
  const range = measured.length === 0 ? '' : `, ${roundTripWords(Math.min(...measured))} to ${roundTripWords(Math.max(...measured))}`;
  return `Last ${countOf(samples.length, 'round trip', 'round trips')}${range}; ${lost === 0 ? 'none' : String(lost)} lost${switches === 0 ? '' : `; the path changed ${switches === 1 ? 'once' : `${String(switches)} times`}`}`;
}

const noSwitches: readonly number[] = [];

/** `switchedAt`: the samples that were the first on another path. */
export function RoundTrips({ samples, switchedAt = noSwitches }: { readonly samples: readonly (number | null)[]; readonly switchedAt?: readonly number[] }) {
  const { path, losses, marks } = sparklineShape(samples, width, height, slots, switchedAt);
  const words = summary(samples, marks.length);
  // A line without anything on it says nothing.
  if (samples.length === 0) return <p className="muted">{words}</p>;
  return (
    <svg className="sparkline" role="img" aria-label={words} viewBox={`0 0 ${String(width)} ${String(height)}`} preserveAspectRatio="none">
      <title>{words}</title>
      <line className="sparkline__base" x1={0} x2={width} y1={height - 0.5} y2={height - 0.5} />
      {marks.map((x) => <path key={`mark ${String(x)}`} className="sparkline__mark" d={`M${x.toFixed(1)} 0V${String(height - 1)}`} />)}
      {losses.map((x) => <line key={x} className="sparkline__loss" x1={x} x2={x} y1={height - 6} y2={height - 1} />)}
      <path className="sparkline__line" d={path} />
    </svg>
  );
}
