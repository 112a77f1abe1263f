/** Plots of blocks for a terminal. */

const eighths = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** How many columns show so many values: all of `width`, or of few values each the same number, so that none looks longer. */
export const columnCount = (values: number, width: number): number =>
  values >= width || values === 0 ? Math.min(values, width) : values * Math.floor(width / values);

/** Values over time as columns, each the mean (or the largest) of what it stands for. */
export function columnsOf(values: readonly number[], width: number, pick: 'mean' | 'most'): number[] {
  const columns: number[] = [];
  const count = columnCount(values.length, width);
  for (let column = 0; column < count; column += 1) {
    const from = Math.floor((column * values.length) / count);
    const to = Math.max(from + 1, Math.floor(((column + 1) * values.length) / count));
    const part = values.slice(from, to);
    columns.push(
      pick === 'mean' ? part.reduce((sum, value) => sum + value, 0) / part.length : Math.max(...part),
    );
  }
  return columns;
}

const label = (value: number) => String(Number(value.toPrecision(3)));

/** An area plot of `height` lines with its scale at the left. */
export function areaPlot(title: string, columns: readonly number[], height: number): string[] {
  const most = Math.max(1e-9, ...columns);
  const labels = [label(most), '0'];
  const wide = Math.max(...labels.map((text) => text.length), 6);
  const lines = [title];
  for (let row = height - 1; row >= 0; row -= 1) {
    const name = row === height - 1 ? (labels[0] ?? '') : row === 0 ? (labels[1] ?? '') : '';
    const cells = columns.map((value) => {
      const filled = Math.round((value / most) * height * 8) - row * 8;
      return eighths[Math.min(8, Math.max(0, filled))] ?? ' ';
    });
    lines.push(`${name.padStart(wide)} ┤${cells.join('')}`);
  }
  return lines;
}

/** One line that is the darker the larger the share of each column is: `·` for none. */
export function shareLine(shares: readonly number[]): string {
  const mark = (share: number) =>
    share === 0 ? '·' : share <= 0.01 ? '░' : share <= 0.1 ? '▒' : share <= 0.5 ? '▓' : '█';
  return `       │${shares.map(mark).join('')}`;
}
