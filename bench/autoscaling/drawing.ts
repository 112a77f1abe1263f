/** A drawing of lines, bars and words, as SVG. */

export type Shape =
  | {
      readonly kind: 'line';
      readonly points: readonly (readonly [x: number, y: number])[];
      readonly color: string;
      readonly width: number;
    }
  | {
      readonly kind: 'bar';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly color: string;
    }
  | {
      readonly kind: 'text';
      readonly x: number;
      readonly y: number;
      readonly text: string;
      readonly size: number;
      readonly color: string;
      readonly anchor: 'start' | 'middle' | 'end';
    };

export interface Drawing {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly shapes: readonly Shape[];
}

const escaped = (text: string) => text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
const round = (value: number) => Math.round(value * 10) / 10;

function element(shape: Shape): string {
  if (shape.kind === 'line')
    return `<polyline fill="none" stroke="${shape.color}" stroke-width="${shape.width}" stroke-linejoin="round" points="${shape.points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')}"/>`;
  if (shape.kind === 'bar')
    return `<rect x="${round(shape.x)}" y="${round(shape.y)}" width="${round(shape.width)}" height="${round(shape.height)}" fill="${shape.color}"/>`;
  return `<text x="${round(shape.x)}" y="${round(shape.y)}" font-size="${shape.size}" fill="${shape.color}" text-anchor="${shape.anchor}">${escaped(shape.text)}</text>`;
}

/** The drawing as an SVG document. */
export const svgOf = ({ title, width, height, shapes }: Drawing): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif"><title>${escaped(title)}</title><rect width="${width}" height="${height}" fill="#ffffff"/>\n${shapes.map(element).join('\n')}\n</svg>\n`;
