/** The last 64 round trips as a line with gaps for lost echoes, and the same in words for those who do not see it. */
import { countOf, roundTripWords } from '../../shared/quantities.ts';
import { sparklineShape } from './sparkline.ts';

const slots = 64;
const width = 126;
const height = 36;

function summary(samples: readonly (number | null)[]): string {
  if (samples.length === 0) return 'No round trips measured yet';
  const measured = samples.filter((sample) => sample !== null);
  const lost = samples.length - measured.length;
  const range = measured.length === 0 ? '' : `, ${roundTripWords(Math.min(...measured))} to ${roundTripWords(Math.max(...measured))}`;
  return `Last ${countOf(samples.length, 'round trip', 'round trips')}${range}; ${lost === 0 ? 'none' : String(lost)} lost`;
}

export function RoundTrips({ samples }: { readonly samples: readonly (number | null)[] }) {
  const { path, losses } = sparklineShape(samples, width, height, slots);
  const words = summary(samples);
  // A line without anything on it says nothing.
  if (samples.length === 0) return <p className="muted">{words}</p>;
  return (
    <svg className="sparkline" role="img" aria-label={words} viewBox={`0 0 ${String(width)} ${String(height)}`} preserveAspectRatio="none">
      <title>{words}</title>
      <line className="sparkline__base" x1={0} x2={width} y1={height - 0.5} y2={height - 0.5} />
      {losses.map((x) => <line key={x} className="sparkline__loss" x1={x} x2={x} y1={height - 6} y2={height - 1} />)}
      <path className="sparkline__line" d={path} />
    </svg>
  );
}
