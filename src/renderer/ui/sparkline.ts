/** The geometry of the round-trip sparkline: runs of samples as path data, lost echoes as positions. Pure. */

export interface SparklineShape {
  /** SVG path data of the measured samples; a lost echo interrupts the line. */
  readonly path: string;
  /** Horizontal positions of lost echoes. */
  readonly losses: readonly number[];
  /** Horizontal positions between a marked sample and the one before. */
  readonly marks: readonly number[];
}

/** Leaves a little air above the highest sample and under the lowest. */
const margin = 2;

/** Newest sample at the right edge; fewer samples than `slots` leave the left side empty. `marked` counts in `samples`. */
export function sparklineShape(samples: readonly (number | null)[], width: number, height: number, slots: number, marked: readonly number[] = []): SparklineShape {
  const shown = samples.slice(-slots);
  const measured = shown.filter((sample) => sample !== null);
  const highest = Math.max(...measured, 1);
  const step = width / Math.max(1, slots - 1);
  const firstX = width - step * (shown.length - 1);
  const losses: number[] = [];
  let path = '';
  let pen = false;
  shown.forEach((sample, index) => {
    const x = firstX + index * step;
    if (sample === null) {
      losses.push(x);
      pen = false;
      return;
    }
    const y = height - margin - (sample / highest) * (height - 2 * margin);
    // A lone sample between two losses would be invisible as a move, so every run starts with a short dash.
    path += pen ? `L${x.toFixed(1)} ${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}h0.5`;
    pen = true;
  });
  const forgotten = samples.length - shown.length;
  // Before the first sample there is nothing that a mark could stand between.
  const marks = marked.filter((index) => index > forgotten && index < samples.length).map((index) => firstX + (index - forgotten - 0.5) * step);
  return { path, losses, marks };
}
