// Plane geometry with PostgreSQL's tolerance and NaN habits (the working part of its geo_ops.c): distances, closest
// points, intersections, what lies inside what.
import { float8Add, float8Divide, float8Multiply, float8Subtract, floatEquals, floatLess } from './float.ts';
import { Box, Line, LSeg, type Path, Point, type Polygon } from './geo_types.ts';
import { overflow, underflow } from './float.ts';

const EPSILON = 1e-6;
export const zero = (a: number): boolean => Math.abs(a) <= EPSILON;
export const eq = (a: number, b: number): boolean => a === b || Math.abs(a - b) <= EPSILON;
export const lt = (a: number, b: number): boolean => a + EPSILON < b;
export const le = (a: number, b: number): boolean => a <= b + EPSILON;
export const gt = (a: number, b: number): boolean => a > b + EPSILON;
export const ge = (a: number, b: number): boolean => a + EPSILON >= b;

/** pg_hypot. */
export function hypot(x: number, y: number): number {
  if (Math.abs(x) === Infinity || Math.abs(y) === Infinity) return Infinity;
  if (x !== x || y !== y) return NaN;
  let a = Math.abs(x), b = Math.abs(y);
  if (a < b) [a, b] = [b, a];
  if (b === 0) return a;
  const ratio = b / a;
  const result = a * Math.sqrt(1 + ratio * ratio);
  if (result === Infinity) throw overflow();
  if (result === 0) throw underflow();
  return result;
}

// --- points

export function samePoint(p: Point, q: Point): boolean {
  if (p.x !== p.x || p.y !== p.y || q.x !== q.x || q.y !== q.y) return floatEquals(p.x, q.x) && floatEquals(p.y, q.y);
  return eq(p.x, q.x) && eq(p.y, q.y);
}
export const distance = (p: Point, q: Point): number => hypot(float8Subtract(p.x, q.x), float8Subtract(p.y, q.y));
export function slope(p: Point, q: Point): number {
  if (eq(p.x, q.x)) return Infinity;
  return eq(p.y, q.y) ? 0 : float8Divide(float8Subtract(p.y, q.y), float8Subtract(p.x, q.x));
}
/** The slope of a perpendicular. */
export function inverseSlope(p: Point, q: Point): number {
  if (eq(p.x, q.x)) return 0;
  return eq(p.y, q.y) ? Infinity : float8Divide(float8Subtract(p.x, q.x), float8Subtract(q.y, p.y));
}
export const addPoints = (p: Point, q: Point): Point => new Point(float8Add(p.x, q.x), float8Add(p.y, q.y));
export const subtractPoints = (p: Point, q: Point): Point => new Point(float8Subtract(p.x, q.x), float8Subtract(p.y, q.y));
/** As complex numbers: turned and scaled. */
export const multiplyPoints = (p: Point, q: Point): Point => new Point(
  float8Subtract(float8Multiply(p.x, q.x), float8Multiply(p.y, q.y)), float8Add(float8Multiply(p.x, q.y), float8Multiply(p.y, q.x)));
export function dividePoints(p: Point, q: Point): Point {
  const divisor = float8Add(float8Multiply(q.x, q.x), float8Multiply(q.y, q.y));
  return new Point(float8Divide(float8Add(float8Multiply(p.x, q.x), float8Multiply(p.y, q.y)), divisor),
    float8Divide(float8Subtract(float8Multiply(p.y, q.x), float8Multiply(p.x, q.y)), divisor));
}
export const middle = (p: Point, q: Point): Point => new Point(float8Divide(float8Add(p.x, q.x), 2), float8Divide(float8Add(p.y, q.y), 2));

// --- lines

export function lineThrough(p: Point, m: number): Line {
  if (Math.abs(m) === Infinity) return new Line(-1, 0, p.x);
  if (m === 0) return new Line(0, -1, p.y);
  return new Line(m, -1, float8Subtract(p.y, float8Multiply(m, p.x)) + 0);
}
export const lineOfPoints = (p: Point, q: Point): Line | null => (samePoint(p, q) ? null : lineThrough(p, slope(p, q)));
export const lineSlope = ({ a, b }: Line): number => (zero(a) ? 0 : zero(b) ? Infinity : float8Divide(a, -b));
const lineInverseSlope = ({ a, b }: Line): number => (zero(a) ? Infinity : zero(b) ? 0 : float8Divide(b, a));

export function lineCrossing(l: Line, m: Line): Point | null {
  let x: number, y: number;
  const determinant = (p: number, q: number, r: number, s: number): number => float8Subtract(float8Multiply(p, q), float8Multiply(r, s));
  if (!zero(l.b)) {
    if (eq(m.a, float8Multiply(l.a, float8Divide(m.b, l.b)))) return null;
    x = float8Divide(determinant(l.b, m.c, m.b, l.c), determinant(l.a, m.b, m.a, l.b));
    y = float8Divide(-float8Add(float8Multiply(l.a, x), l.c), l.b);
  } else if (!zero(m.b)) {
    if (eq(l.a, float8Multiply(m.a, float8Divide(l.b, m.b)))) return null;
    x = float8Divide(determinant(m.b, l.c, l.b, m.c), determinant(m.a, l.b, l.a, m.b));
    y = float8Divide(-float8Add(float8Multiply(m.a, x), m.c), m.b);
  } else return null;
  return new Point(x + 0, y + 0); // no minus zero
}

export function sameLine(l: Line, m: Line): boolean {
  if ([l.a, l.b, l.c, m.a, m.b, m.c].some(Number.isNaN)) return floatEquals(l.a, m.a) && floatEquals(l.b, m.b) && floatEquals(l.c, m.c);
  const ratio = !zero(m.a) ? float8Divide(l.a, m.a) : !zero(m.b) ? float8Divide(l.b, m.b) : !zero(m.c) ? float8Divide(l.c, m.c) : 1;
  return eq(l.a, float8Multiply(ratio, m.a)) && eq(l.b, float8Multiply(ratio, m.b)) && eq(l.c, float8Multiply(ratio, m.c));
}

export function linesPerpendicular(l: Line, m: Line): boolean {
  if (zero(l.a)) return zero(m.b);
  if (zero(m.a)) return zero(l.b);
  if (zero(l.b)) return zero(m.a);
  if (zero(m.b)) return zero(l.a);
  return eq(float8Divide(float8Multiply(l.a, m.a), float8Multiply(l.b, m.b)), -1);
}

export function lineDistance(l: Line, m: Line): number {
  if (lineCrossing(l, m) !== null) return 0;
  const usable = (v: number): boolean => !zero(v) && v === v;
  const ratio = usable(l.a) && usable(m.a) ? float8Divide(l.a, m.a) : usable(l.b) && usable(m.b) ? float8Divide(l.b, m.b) : 1;
  return float8Divide(Math.abs(float8Subtract(l.c, float8Multiply(ratio, m.c))), hypot(l.a, l.b));
}

export const onLine = (l: Line, p: Point): boolean => zero(float8Add(float8Add(float8Multiply(l.a, p.x), float8Multiply(l.b, p.y)), l.c));

/** A point and how far it is; NaN coordinates make the distance NaN. */
export interface Closest { point: Point; distance: number }

export function closestOnLine(l: Line, p: Point): Closest {
  const point = lineCrossing(lineThrough(p, lineInverseSlope(l)), l);
  return point === null ? { point: p, distance: NaN } : { point, distance: distance(point, p) };
}

// --- line segments

export const segmentSlope = ({ a, b }: LSeg): number => slope(a, b);
export const segmentInverseSlope = ({ a, b }: LSeg): number => inverseSlope(a, b);
export const onSegment = ({ a, b }: LSeg, p: Point): boolean => eq(distance(p, a) + distance(p, b), distance(a, b));

export function segmentLineCrossing(s: LSeg, l: Line): Point | null {
  const point = lineCrossing(lineThrough(s.a, segmentSlope(s)), l);
  if (point === null || !onSegment(s, point)) return null;
  return samePoint(s.a, point) ? s.a : samePoint(s.b, point) ? s.b : point;
}

export function segmentCrossing(s: LSeg, t: LSeg): Point | null {
  const point = segmentLineCrossing(s, lineThrough(t.a, segmentSlope(t)));
  return point !== null && onSegment(t, point) ? point : null;
}

export function segmentToLine(s: LSeg, l: Line): Closest {
  const crossing = segmentLineCrossing(s, l);
  if (crossing !== null) return { point: crossing, distance: 0 };
  const fromA = closestOnLine(l, s.a).distance, fromB = closestOnLine(l, s.b).distance;
  return fromA < fromB ? { point: s.a, distance: fromA } : { point: s.b, distance: fromB };
}

export function closestOnSegment(s: LSeg, p: Point): Closest {
  const { point } = segmentToLine(s, lineThrough(p, segmentInverseSlope(s)));
  return { point, distance: distance(point, p) };
}

/** The point of `on` that is closest to `to`. */
export function segmentToSegment(on: LSeg, to: LSeg): Closest {
  const crossing = segmentCrossing(on, to);
  if (crossing !== null) return { point: crossing, distance: 0 };
  let best = closestOnSegment(on, to.a);
  const other = closestOnSegment(on, to.b);
  if (floatLess(other.distance, best.distance)) best = other;
  for (const end of [on.a, on.b]) {
    const d = closestOnSegment(to, end).distance;
    if (floatLess(d, best.distance)) best = { point: end, distance: d };
  }
  return best;
}

// --- boxes

export const boxesOverlap = (b: Box, c: Box): boolean =>
  le(b.low.x, c.high.x) && le(c.low.x, b.high.x) && le(b.low.y, c.high.y) && le(c.low.y, b.high.y);
export const boxContains = (b: Box, c: Box): boolean =>
  ge(b.high.x, c.high.x) && le(b.low.x, c.low.x) && ge(b.high.y, c.high.y) && le(b.low.y, c.low.y);
export const inBox = ({ high, low }: Box, p: Point): boolean => high.x >= p.x && p.x >= low.x && high.y >= p.y && p.y >= low.y;
export const boxCenter = ({ high, low }: Box): Point => middle(high, low);

/** The four sides, in the order in which PostgreSQL tries them. */
export function sides({ high, low }: Box): LSeg[] {
  const upperLeft = new Point(low.x, high.y), lowerRight = new Point(high.x, low.y);
  return [new LSeg(low, upperLeft), new LSeg(high, upperLeft), new LSeg(low, lowerRight), new LSeg(high, lowerRight)];
}

const nearest = (candidates: readonly Closest[]): Closest => candidates.reduce((best, one) => (floatLess(one.distance, best.distance) ? one : best));

export const closestInBox = (b: Box, p: Point): Closest =>
  (inBox(b, p) ? { point: p, distance: 0 } : nearest(sides(b).map((side) => closestOnSegment(side, p))));

export function boxCrossesSegment(b: Box, s: LSeg): boolean {
  const around = new Box(new Point(Math.max(s.a.x, s.b.x), Math.max(s.a.y, s.b.y)), new Point(Math.min(s.a.x, s.b.x), Math.min(s.a.y, s.b.y)));
  if (!boxesOverlap(around, b)) return false;
  return inBox(b, s.a) || inBox(b, s.b) || sides(b).some((side) => segmentCrossing(side, s) !== null);
}

export function segmentToBox(b: Box, s: LSeg): Closest {
  if (boxCrossesSegment(b, s)) return { point: closestOnSegment(s, boxCenter(b)).point, distance: 0 };
  return nearest(sides(b).map((side) => segmentToSegment(side, s)));
}

// --- paths and polygons

/** The segments between neighbours; `closed` adds the one from the last point to the first, first. */
export function edges(points: readonly Point[], closed: boolean): LSeg[] {
  const list: LSeg[] = [];
  for (let i = closed ? 0 : 1; i < points.length; i++) list.push(new LSeg(points[i === 0 ? points.length - 1 : i - 1]!, points[i]!));
  return list;
}

export const pathEdges = (path: Path): LSeg[] => edges(path.points, path.closed);
export const polygonEdges = (polygon: Polygon): LSeg[] => edges(polygon.points, true);

const ON = 'on';

/** lseg_crossing: how an edge crosses the positive x axis. */
function crossing(x: number, y: number, lastX: number, lastY: number): number | typeof ON {
  if (zero(y)) {
    if (zero(x)) return ON;
    if (gt(x, 0)) {
      if (zero(lastY)) return gt(lastX, 0) ? 0 : ON;
      return lt(lastY, 0) ? 1 : -1;
    }
    if (zero(lastY)) return lt(lastX, 0) ? 0 : ON;
    return 0;
  }
  const sign = gt(y, 0) ? 1 : -1;
  if (zero(lastY)) return lt(lastX, 0) ? 0 : sign;
  if ((sign < 0 && lt(lastY, 0)) || (sign > 0 && gt(lastY, 0))) return 0;
  if (ge(x, 0) && gt(lastX, 0)) return 2 * sign;
  if (lt(x, 0) && le(lastX, 0)) return 0;
  const z = float8Subtract(float8Multiply(float8Subtract(x, lastX), y), float8Multiply(float8Subtract(y, lastY), x));
  if (zero(z)) return ON;
  if ((sign < 0 && lt(z, 0)) || (sign > 0 && gt(z, 0))) return 0;
  return 2 * sign;
}

/** point_inside: on the border counts. */
export function inside(p: Point, points: readonly Point[]): boolean {
  const relative = points.map((q) => subtractPoints(q, p));
  let total = 0;
  for (let i = 1; i <= relative.length; i++) {
    const { x, y } = relative[i % relative.length]!, last = relative[i - 1]!;
    const c = crossing(x, y, last.x, last.y);
    if (c === ON) return true;
    total += c;
  }
  return total !== 0;
}

export function samePoints(a: readonly Point[], b: readonly Point[]): boolean {
  const n = a.length;
  for (let i = 0; i < n; i++) {
    if (!samePoint(b[i]!, a[0]!)) continue;
    for (const step of [1, n - 1]) {
      if (a.every((p, k) => samePoint(b[(i + k * step) % n]!, p))) return true;
    }
  }
  return false;
}

export function polygonsOverlap(a: Polygon, b: Polygon): boolean {
  if (!boxesOverlap(a.box, b.box)) return false;
  const others = polygonEdges(b);
  return polygonEdges(a).some((s) => others.some((t) => segmentCrossing(s, t) !== null)) ||
    inside(a.points[0]!, b.points) || inside(b.points[0]!, a.points);
}

function touchedInside(a: Point, b: Point, s: LSeg, polygon: Polygon, start: number): boolean {
  const t = new LSeg(a, b);
  if (samePoint(a, s.a)) {
    if (onSegment(t, s.b)) return segmentInside(b, s.b, polygon, start);
  } else if (samePoint(a, s.b)) {
    if (onSegment(t, s.a)) return segmentInside(b, s.a, polygon, start);
  } else if (onSegment(t, s.a)) return segmentInside(b, s.a, polygon, start);
  else if (onSegment(t, s.b)) return segmentInside(b, s.b, polygon, start);
  return true; // perhaps not: later edges will show
}

/** lseg_inside_poly. */
function segmentInside(a: Point, b: Point, polygon: Polygon, start: number): boolean {
  const { points } = polygon;
  const t = new LSeg(a, b);
  let last = points[start === 0 ? points.length - 1 : start - 1]!;
  for (let i = start; i < points.length; i++) {
    const s = new LSeg(last, points[i]!);
    if (onSegment(s, a)) {
      if (onSegment(s, b)) return true;
      if (!touchedInside(a, b, s, polygon, i + 1)) return false;
    } else if (onSegment(s, b)) {
      if (!touchedInside(b, a, s, polygon, i + 1)) return false;
    } else {
      const point = segmentCrossing(t, s);
      if (point !== null) return segmentInside(a, point, polygon, i + 1) && segmentInside(b, point, polygon, i + 1);
    }
    last = points[i]!;
  }
  return inside(middle(a, b), points);
}

export const polygonContains = (a: Polygon, b: Polygon): boolean =>
  boxContains(a.box, b.box) && polygonEdges(b).every((edge) => segmentInside(edge.a, edge.b, a, 0));

/** The least of some distances; null when there are none. */
export const least = (distances: readonly number[]): number | null =>
  distances.reduce<number | null>((best, d) => (best === null || floatLess(d, best) ? d : best), null);

export function pointToPolygon(p: Point, polygon: Polygon): number {
  return inside(p, polygon.points) ? 0 : least(polygonEdges(polygon).map((edge) => closestOnSegment(edge, p).distance))!;
}
