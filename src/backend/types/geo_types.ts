// Geometric types: their classes, text and binary form, storage (the first part of PostgreSQL's geo_ops.c).
import { PgError } from '../../common/errors.ts';
import { invalidInput } from './errors.ts';
import { float8In, float8Out, floatLess } from './float.ts';
import { WireReader } from './wire.ts';

export class Point {
  readonly x: number;
  readonly y: number;
  constructor(x: number, y: number) {
    this.x = x;
    this.y = y;
  }
}

export class LSeg {
  readonly a: Point;
  readonly b: Point;
  constructor(a: Point, b: Point) {
    this.a = a;
    this.b = b;
  }
}

/** Ax + By + C = 0. */
export class Line {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  constructor(a: number, b: number, c: number) {
    this.a = a;
    this.b = b;
    this.c = c;
  }
}

/** Upper right and lower left corner. */
export class Box {
  readonly high: Point;
  readonly low: Point;
  constructor(high: Point, low: Point) {
    this.high = high;
    this.low = low;
  }
}

export class Path {
  readonly closed: boolean;
  readonly points: readonly Point[];
  constructor(closed: boolean, points: readonly Point[]) {
    this.closed = closed;
    this.points = points;
  }
}

export class Polygon {
  readonly points: readonly Point[];
  readonly box: Box;
  constructor(points: readonly Point[]) {
    this.points = points;
    this.box = boundingBox(points);
  }
}

export class Circle {
  readonly center: Point;
  readonly radius: number;
  constructor(center: Point, radius: number) {
    this.center = center;
    this.radius = radius;
  }
}

/** A box with any two opposite corners. */
export function makeBox(p: Point, q: Point): Box {
  const [highX, lowX] = floatLess(q.x, p.x) ? [p.x, q.x] : [q.x, p.x];
  const [highY, lowY] = floatLess(q.y, p.y) ? [p.y, q.y] : [q.y, p.y];
  return new Box(new Point(highX, highY), new Point(lowX, lowY));
}

function boundingBox(points: readonly Point[]): Box {
  let { x: x1, y: y1 } = points[0]!;
  let x2 = x1, y2 = y1;
  for (const { x, y } of points) {
    if (floatLess(x, x1)) x1 = x;
    if (floatLess(x2, x)) x2 = x;
    if (floatLess(y, y1)) y1 = y;
    if (floatLess(y2, y)) y2 = y;
  }
  return new Box(new Point(x2, y2), new Point(x1, y1));
}

// --- text form

const NUMBER = /[ \t\n\v\f\r]*[-+]?(?:nan|inf(?:inity)?|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)[ \t\n\v\f\r]*/iy;

class GeoScanner {
  readonly text: string;
  private readonly type: string;
  at = 0;

  constructor(text: string, type: string) {
    this.text = text;
    this.type = type;
  }

  fail(): PgError {
    return invalidInput(this.type, this.text);
  }

  space(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }

  get char(): string {
    return this.text[this.at] ?? '';
  }

  expect(char: string): void {
    if (this.char !== char) throw this.fail();
    this.at++;
  }

  end(): void {
    if (this.at < this.text.length) throw this.fail();
  }

  number(): number {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (match === null) throw this.fail();
    this.at = NUMBER.lastIndex;
    return float8In(match[0]);
  }

  /** pair_decode. */
  pair(): Point {
    this.space();
    const bracket = this.char === '(';
    if (bracket) this.at++;
    const x = this.number();
    this.expect(',');
    const y = this.number();
    if (bracket) {
      this.expect(')');
      this.space();
    }
    return new Point(x, y);
  }

  /** path_decode: so many pairs, perhaps in brackets; square ones say that a path is open. */
  pairs(count: number, mayBeOpen: boolean): { points: Point[]; open: boolean } {
    this.space();
    let depth = 0;
    const open = this.char === '[';
    if (open) {
      if (!mayBeOpen) throw this.fail();
      depth++;
      this.at++;
    } else if (this.char === '(') {
      let next = this.at + 1;
      while (/\s/.test(this.text[next] ?? '')) next++;
      if (this.text[next] === '(' || this.text.lastIndexOf('(') === this.at) {
        depth++;
        this.at = next;
      }
    }
    const points: Point[] = [];
    for (let i = 0; i < count; i++) {
      points.push(this.pair());
      if (this.char === ',') this.at++;
    }
    for (; depth > 0; depth--) {
      if (this.char !== ')' && !(this.char === ']' && open && depth === 1)) throw this.fail();
      this.at++;
      this.space();
    }
    return { points, open };
  }

  /** pair_count. */
  count(): number {
    const commas = this.text.split(',').length - 1;
    if (commas % 2 === 0) throw this.fail();
    return (commas + 1) / 2;
  }
}

export function pointIn(text: string): Point {
  const scan = new GeoScanner(text, 'point');
  const point = scan.pair();
  scan.end();
  return point;
}

export function boxIn(text: string): Box {
  const scan = new GeoScanner(text, 'box');
  const { points } = scan.pairs(2, false);
  scan.end();
  return makeBox(points[0]!, points[1]!);
}

export function lsegIn(text: string): LSeg {
  const scan = new GeoScanner(text, 'lseg');
  const { points } = scan.pairs(2, true);
  scan.end();
  return new LSeg(points[0]!, points[1]!);
}

const nearZero = (value: number): boolean => Math.abs(value) <= 1e-6;

/** `through` makes a line through two points; it gives null when they are one. */
export function lineIn(text: string, through: (p: Point, q: Point) => Line | null): Line {
  const scan = new GeoScanner(text, 'line');
  scan.space();
  const invalid = (what: string): PgError => new PgError('invalid_text_representation', `invalid line specification: ${what}`);
  if (scan.char === '{') {
    scan.at++;
    const a = scan.number();
    scan.expect(',');
    const b = scan.number();
    scan.expect(',');
    const c = scan.number();
    scan.expect('}');
    scan.space();
    scan.end();
    if (nearZero(a) && nearZero(b)) throw invalid('A and B cannot both be zero');
    return new Line(a, b, c);
  }
  const { points } = scan.pairs(2, true);
  scan.end();
  const line = through(points[0]!, points[1]!);
  if (line === null) throw invalid('must be two distinct points');
  return line;
}

export function pathIn(text: string): Path {
  const scan = new GeoScanner(text, 'path');
  const count = scan.count();
  scan.space();
  const bracket = scan.char === '(' && text.lastIndexOf('(') === scan.at;
  if (bracket) scan.at++;
  const { points, open } = scan.pairs(count, true);
  if (bracket) {
    scan.expect(')');
    scan.space();
  }
  scan.end();
  return new Path(!open, points);
}

export function polygonIn(text: string): Polygon {
  const scan = new GeoScanner(text, 'polygon');
  const { points } = scan.pairs(scan.count(), false);
  scan.end();
  return new Polygon(points);
}

export function circleIn(text: string): Circle {
  const scan = new GeoScanner(text, 'circle');
  scan.space();
  let depth = 0;
  if (scan.char === '<') {
    depth++;
    scan.at++;
  } else if (scan.char === '(') {
    let next = scan.at + 1;
    while (/\s/.test(text[next] ?? '')) next++;
    if (text[next] === '(') {
      depth++;
      scan.at = next;
    }
  }
  const center = scan.pair();
  if (scan.char === ',') scan.at++;
  const radius = scan.number();
  if (radius < 0) throw scan.fail();
  for (; depth > 0; depth--) {
    if (scan.char !== ')' && !(scan.char === '>' && depth === 1)) throw scan.fail();
    scan.at++;
    scan.space();
  }
  scan.end();
  return new Circle(center, radius);
}

export const pointOut = ({ x, y }: Point): string => `(${float8Out(x)},${float8Out(y)})`;
const pointsOut = (points: readonly Point[]): string => points.map(pointOut).join(',');
export const boxOut = ({ high, low }: Box): string => pointsOut([high, low]);
export const lsegOut = ({ a, b }: LSeg): string => `[${pointsOut([a, b])}]`;
export const lineOut = ({ a, b, c }: Line): string => `{${float8Out(a)},${float8Out(b)},${float8Out(c)}}`;
export const pathOut = ({ closed, points }: Path): string => (closed ? `(${pointsOut(points)})` : `[${pointsOut(points)}]`);
export const polygonOut = ({ points }: Polygon): string => `(${pointsOut(points)})`;
export const circleOut = ({ center, radius }: Circle): string => `<${pointOut(center)},${float8Out(radius)}>`;

// --- binary form, which is also that of storage

const numbers = (values: readonly number[], lead: Uint8Array = new Uint8Array(0)): Uint8Array => {
  const bytes = Buffer.allocUnsafe(lead.length + 8 * values.length);
  bytes.set(lead);
  values.forEach((value, i) => bytes.writeDoubleBE(value, lead.length + 8 * i));
  return bytes;
};
const flat = (points: readonly Point[]): number[] => points.flatMap(({ x, y }) => [x, y]);
const readPoint = (reader: WireReader): Point => {
  const x = reader.float64();
  return new Point(x, reader.float64());
};

function countBytes(count: number, lead: readonly number[] = []): Uint8Array {
  const bytes = Buffer.alloc(lead.length + 4);
  bytes.set(lead);
  bytes.writeInt32BE(count, lead.length);
  return bytes;
}

function readPoints(reader: WireReader, type: string): Point[] {
  const count = reader.int32();
  if (count <= 0 || count >= (2 ** 31 - 32) / 16) {
    throw new PgError('invalid_binary_representation', `invalid number of points in external "${type}" value`);
  }
  const points: Point[] = [];
  for (let i = 0; i < count; i++) points.push(readPoint(reader));
  return points;
}

export interface GeoForm<T extends object> { type: abstract new (...args: any[]) => T; send(value: T): Uint8Array; read(reader: WireReader): T }

export const GEO_FORMS: Record<string, GeoForm<any>> = {
  point: { type: Point, send: ({ x, y }: Point) => numbers([x, y]), read: readPoint },
  lseg: { type: LSeg, send: ({ a, b }: LSeg) => numbers(flat([a, b])), read: (r) => { const a = readPoint(r); return new LSeg(a, readPoint(r)); } },
  line: {
    type: Line, send: ({ a, b, c }: Line) => numbers([a, b, c]),
    read: (r) => {
      const a = r.float64(), b = r.float64(), line = new Line(a, b, r.float64());
      if (nearZero(a) && nearZero(b)) throw new PgError('invalid_binary_representation', 'invalid line specification: A and B cannot both be zero');
      return line;
    },
  },
  box: { type: Box, send: ({ high, low }: Box) => numbers(flat([high, low])), read: (r) => { const p = readPoint(r); return makeBox(p, readPoint(r)); } },
  path: {
    type: Path, send: ({ closed, points }: Path) => numbers(flat(points), countBytes(points.length, [closed ? 1 : 0])),
    read: (r) => { const closed = r.uint8() !== 0; return new Path(closed, readPoints(r, 'path')); },
  },
  poly: { type: Polygon, send: ({ points }: Polygon) => numbers(flat(points), countBytes(points.length)), read: (r) => new Polygon(readPoints(r, 'polygon')) },
  circle: {
    type: Circle, send: ({ center, radius }: Circle) => numbers([center.x, center.y, radius]),
    read: (r) => {
      const center = readPoint(r), radius = r.float64();
      if (radius < 0) throw new PgError('invalid_binary_representation', 'invalid radius in external "circle" value');
      return new Circle(center, radius);
    },
  },
};

export const geoCodecs = Object.values(GEO_FORMS).map(({ type, send, read }, i) => ({
  number: 16 + i, type, encode: send, decode: (bytes: Uint8Array): object => read(new WireReader(bytes)) as object,
}));
