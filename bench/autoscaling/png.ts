/** A drawing as PNG: each shape is painted into pixels at twice its size, then zipped; words are drawn with strokes. */
import { crc32, deflateSync } from 'node:zlib';
import type { Drawing, Shape } from './drawing.ts';
import { strokeAdvance, strokesOf } from './strokes.ts';

const scale = 2;

class Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height * 3).fill(255);
  }

  /** Fills a rectangle of whole pixels. */
  fill(x: number, y: number, width: number, height: number, color: readonly number[]): void {
    const [fromX, fromY] = [Math.max(0, Math.round(x)), Math.max(0, Math.round(y))];
    const toX = Math.min(this.width, Math.max(fromX + 1, Math.round(x + width)));
    const toY = Math.min(this.height, Math.max(fromY + 1, Math.round(y + height)));
    for (let row = fromY; row < toY; row += 1)
      for (let column = fromX; column < toX; column += 1)
        this.pixels.set(color, (row * this.width + column) * 3);
  }

  line(points: readonly (readonly [number, number])[], width: number, color: readonly number[]): void {
    for (let index = 1; index < points.length; index += 1) {
      const [x0, y0] = points[index - 1] as readonly [number, number];
      const [x1, y1] = points[index] as readonly [number, number];
      const steps = Math.max(1, Math.ceil(Math.hypot(x1 - x0, y1 - y0)));
      for (let step = 0; step <= steps; step += 1) {
        const share = step / steps;
        this.fill(
          x0 + (x1 - x0) * share - width / 2,
          y0 + (y1 - y0) * share - width / 2,
          width,
          width,
          color,
        );
      }
    }
  }
}

const colorOf = (hex: string): number[] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

function paint(canvas: Canvas, shape: Shape): void {
  const color = colorOf(shape.color);
  if (shape.kind === 'bar')
    canvas.fill(shape.x * scale, shape.y * scale, shape.width * scale, shape.height * scale, color);
  else if (shape.kind === 'line')
    canvas.line(
      shape.points.map(([x, y]) => [x * scale, y * scale] as const),
      shape.width * scale * 0.75,
      color,
    );
  else {
    const unit = (shape.size * scale) / 9;
    const width = [...shape.text].length * strokeAdvance * unit;
    const start =
      shape.x * scale - (shape.anchor === 'start' ? 0 : shape.anchor === 'end' ? width : width / 2);
    for (const [at, letter] of [...shape.text].entries())
      for (const stroke of strokesOf(letter))
        canvas.line(
          stroke.map(
            ([x, y]) => [start + (at * strokeAdvance + x) * unit, shape.y * scale + (y - 6) * unit] as const,
          ),
          Math.max(1.4, unit * 0.62),
          color,
        );
  }
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'ascii'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** The drawing as a PNG file, 8 bits per colour. */
export function pngOf(drawing: Drawing): Buffer {
  const canvas = new Canvas(drawing.width * scale, drawing.height * scale);
  for (const shape of drawing.shapes) paint(canvas, shape);
  const stride = canvas.width * 3;
  const rows = Buffer.alloc((stride + 1) * canvas.height);
  for (let row = 0; row < canvas.height; row += 1)
    rows.set(canvas.pixels.subarray(row * stride, (row + 1) * stride), row * (stride + 1) + 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(canvas.width, 0);
  header.writeUInt32BE(canvas.height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', new Uint8Array(0)),
  ]);
}
