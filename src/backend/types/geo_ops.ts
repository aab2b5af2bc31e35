// What SQL sees of the geometric types.
import { PgError } from '../../common/errors.ts';
import { port } from '../../port/port.ts';
import { invalidParameter, limitExceeded } from './errors.ts';
import { float8Add, float8Divide, float8Multiply, float8Subtract } from './float.ts';
import { registerBuiltins, type PureFunction } from './fmgr.ts';
import {
  Box, boxIn, boxOut, Circle, circleIn, circleOut, GEO_FORMS, Line, lineIn, lineOut, LSeg, lsegIn, lsegOut, makeBox, Path, pathIn, pathOut, Point,
  pointIn, pointOut, Polygon, polygonIn, polygonOut,
} from './geo_types.ts';
import * as geo from './geometry.ts';
import { eq, ge, gt, le, lt, zero } from './geometry.ts';
import { receiveAll } from './wire.ts';

const pure: Record<string, PureFunction> = {
  point_in: pointIn, point_out: pointOut, lseg_in: lsegIn, lseg_out: lsegOut, box_in: boxIn, box_out: boxOut, path_in: pathIn, path_out: pathOut,
  poly_in: polygonIn, poly_out: polygonOut, circle_in: circleIn, circle_out: circleOut,
  line_in: (text: string) => lineIn(text, geo.lineOfPoints), line_out: lineOut,
};
for (const [name, { send, read }] of Object.entries(GEO_FORMS)) {
  pure[`${name}_send`] = send;
  pure[`${name}_recv`] = (bytes: Uint8Array) => receiveAll(bytes, read);
}

/** Six comparisons of a measure, with the tolerance. */
function comparisons(type: string, measure: (value: any) => number, ne = false): void {
  const tests = { eq, lt, le, gt, ge, ...(ne ? { ne: (a: number, b: number) => a !== b && Math.abs(a - b) > 1e-6 } : {}) };
  for (const [name, test] of Object.entries(tests)) pure[`${type}_${name}`] = (a, b) => test(measure(a), measure(b));
}

// --- points, lines, segments

Object.assign(pure, {
  construct_point: (x: number, y: number) => new Point(x, y),
  point_left: (p: Point, q: Point) => lt(p.x, q.x), point_right: (p: Point, q: Point) => gt(p.x, q.x),
  point_above: (p: Point, q: Point) => gt(p.y, q.y), point_below: (p: Point, q: Point) => lt(p.y, q.y),
  point_vert: (p: Point, q: Point) => eq(p.x, q.x), point_horiz: (p: Point, q: Point) => eq(p.y, q.y),
  point_eq: geo.samePoint, point_ne: (p: Point, q: Point) => !geo.samePoint(p, q),
  point_distance: geo.distance, point_slope: geo.slope,
  point_add: geo.addPoints, point_sub: geo.subtractPoints, point_mul: geo.multiplyPoints, point_div: geo.dividePoints,

  line_construct_pp: (p: Point, q: Point) => {
    const line = geo.lineOfPoints(p, q);
    if (line === null) throw invalidParameter('invalid line specification: must be two distinct points');
    return line;
  },
  line_intersect: (l: Line, m: Line) => geo.lineCrossing(l, m) !== null, line_parallel: (l: Line, m: Line) => geo.lineCrossing(l, m) === null,
  line_perp: geo.linesPerpendicular, line_vertical: (l: Line) => zero(l.b), line_horizontal: (l: Line) => zero(l.a),
  line_eq: geo.sameLine, line_distance: geo.lineDistance, line_interpt: geo.lineCrossing,

  lseg_construct: (p: Point, q: Point) => new LSeg(p, q),
  lseg_length: (s: LSeg) => geo.distance(s.a, s.b), lseg_center: (s: LSeg) => geo.middle(s.a, s.b),
  lseg_intersect: (s: LSeg, t: LSeg) => geo.segmentCrossing(s, t) !== null, lseg_interpt: geo.segmentCrossing,
  lseg_parallel: (s: LSeg, t: LSeg) => eq(geo.segmentSlope(s), geo.segmentSlope(t)),
  lseg_perp: (s: LSeg, t: LSeg) => eq(geo.segmentSlope(s), geo.segmentInverseSlope(t)),
  lseg_vertical: (s: LSeg) => eq(s.a.x, s.b.x), lseg_horizontal: (s: LSeg) => eq(s.a.y, s.b.y),
  lseg_distance: (s: LSeg, t: LSeg) => geo.segmentToSegment(s, t).distance,
});
comparisons('lseg', (s: LSeg) => geo.distance(s.a, s.b));
pure['lseg_eq'] = (s: LSeg, t: LSeg) => geo.samePoint(s.a, t.a) && geo.samePoint(s.b, t.b);
pure['lseg_ne'] = (s: LSeg, t: LSeg) => !(geo.samePoint(s.a, t.a) && geo.samePoint(s.b, t.b));

// --- boxes

const width = ({ high, low }: Box): number => float8Subtract(high.x, low.x);
const height = ({ high, low }: Box): number => float8Subtract(high.y, low.y);
const boxArea = (b: Box): number => float8Multiply(width(b), height(b));
const larger = (a: number, b: number): number => (a > b || a !== a ? a : b);
const smaller = (a: number, b: number): number => (a < b || b !== b ? a : b);
comparisons('box', boxArea);
Object.assign(pure, {
  box_same: (b: Box, c: Box) => geo.samePoint(b.high, c.high) && geo.samePoint(b.low, c.low),
  box_overlap: geo.boxesOverlap, box_contain: geo.boxContains, box_contained: (b: Box, c: Box) => geo.boxContains(c, b),
  box_left: (b: Box, c: Box) => lt(b.high.x, c.low.x), box_overleft: (b: Box, c: Box) => le(b.high.x, c.high.x),
  box_right: (b: Box, c: Box) => gt(b.low.x, c.high.x), box_overright: (b: Box, c: Box) => ge(b.low.x, c.low.x),
  box_below: (b: Box, c: Box) => lt(b.high.y, c.low.y), box_overbelow: (b: Box, c: Box) => le(b.high.y, c.high.y),
  box_above: (b: Box, c: Box) => gt(b.low.y, c.high.y), box_overabove: (b: Box, c: Box) => ge(b.low.y, c.low.y),
  box_below_eq: (b: Box, c: Box) => le(b.high.y, c.low.y), box_above_eq: (b: Box, c: Box) => ge(b.low.y, c.high.y),
  box_contain_pt: geo.inBox, on_pb: (p: Point, b: Box) => geo.inBox(b, p),
  box_area: boxArea, box_width: width, box_height: height, box_center: geo.boxCenter,
  box_distance: (b: Box, c: Box) => geo.distance(geo.boxCenter(b), geo.boxCenter(c)),
  box_intersect: (b: Box, c: Box) => (geo.boxesOverlap(b, c)
    ? new Box(new Point(smaller(b.high.x, c.high.x), smaller(b.high.y, c.high.y)), new Point(larger(b.low.x, c.low.x), larger(b.low.y, c.low.y))) : null),
  boxes_bound_box: (b: Box, c: Box) =>
    new Box(new Point(larger(b.high.x, c.high.x), larger(b.high.y, c.high.y)), new Point(smaller(b.low.x, c.low.x), smaller(b.low.y, c.low.y))),
  box_diagonal: ({ high, low }: Box) => new LSeg(high, low),
  points_box: makeBox, point_box: (p: Point) => new Box(p, p),
  box_add: (b: Box, p: Point) => new Box(geo.addPoints(b.high, p), geo.addPoints(b.low, p)),
  box_sub: (b: Box, p: Point) => new Box(geo.subtractPoints(b.high, p), geo.subtractPoints(b.low, p)),
  box_mul: (b: Box, p: Point) => makeBox(geo.multiplyPoints(b.high, p), geo.multiplyPoints(b.low, p)),
  box_div: (b: Box, p: Point) => makeBox(geo.dividePoints(b.high, p), geo.dividePoints(b.low, p)),
  box_circle: (b: Box) => {
    const center = geo.boxCenter(b);
    return new Circle(center, geo.distance(center, b.high));
  },
  box_poly: ({ high, low }: Box) => new Polygon([low, new Point(low.x, high.y), high, new Point(high.x, low.y)]),
});

// --- paths

const moved = (op: (p: Point, q: Point) => Point) => (path: Path, by: Point): Path => new Path(path.closed, path.points.map((p) => op(p, by)));

function pathArea({ closed, points }: Path): number | null {
  if (!closed) return null;
  let area = 0;
  points.forEach((p, i) => {
    const q = points[(i + 1) % points.length]!;
    area = float8Add(area, float8Multiply(p.x, q.y));
    area = float8Subtract(area, float8Multiply(p.y, q.x));
  });
  return float8Divide(Math.abs(area), 2);
}

const boundsOf = (path: Path): Box => new Polygon(path.points).box;

function onPath(p: Point, path: Path): boolean {
  if (path.closed) return geo.inside(p, path.points);
  return geo.pathEdges(path).some((edge) => geo.onSegment(edge, p));
}

const pointToPath = (p: Point, path: Path): number => geo.least(geo.pathEdges(path).map((edge) => geo.closestOnSegment(edge, p).distance)) ?? 0;
for (const [name, test] of Object.entries({
  eq: (a: number, b: number) => a === b, lt: (a: number, b: number) => a < b, le: (a: number, b: number) => a <= b,
  gt: (a: number, b: number) => a > b, ge: (a: number, b: number) => a >= b,
})) pure[`path_n_${name}`] = (a: Path, b: Path) => test(a.points.length, b.points.length);
Object.assign(pure, {
  path_area: pathArea, path_isclosed: (p: Path) => p.closed, path_isopen: (p: Path) => !p.closed, path_npoints: (p: Path) => p.points.length,
  path_close: (p: Path) => new Path(true, p.points), path_open: (p: Path) => new Path(false, p.points),
  path_length: (p: Path) => geo.pathEdges(p).reduce((sum, { a, b }) => float8Add(sum, geo.distance(a, b)), 0),
  path_inter: (p: Path, q: Path) => geo.boxesOverlap(boundsOf(p), boundsOf(q)) &&
    geo.pathEdges(p).some((s) => geo.pathEdges(q).some((t) => geo.segmentCrossing(s, t) !== null)),
  path_distance: (p: Path, q: Path) => geo.least(geo.pathEdges(p).flatMap((s) => geo.pathEdges(q).map((t) => geo.segmentToSegment(s, t).distance))),
  path_add: (p: Path, q: Path) => (p.closed || q.closed ? null : new Path(false, [...p.points, ...q.points])),
  path_add_pt: moved(geo.addPoints), path_sub_pt: moved(geo.subtractPoints), path_mul_pt: moved(geo.multiplyPoints), path_div_pt: moved(geo.dividePoints),
  path_poly: (p: Path) => {
    if (!p.closed) throw invalidParameter('open path cannot be converted to polygon');
    return new Polygon(p.points);
  },
});

// --- polygons

function polygonCircle({ points }: Polygon): Circle {
  let sum = new Point(0, 0);
  for (const p of points) sum = geo.addPoints(sum, p);
  const center = new Point(float8Divide(sum.x, points.length), float8Divide(sum.y, points.length));
  const total = points.reduce((radius, p) => float8Add(radius, geo.distance(p, center)), 0);
  return new Circle(center, float8Divide(total, points.length));
}

Object.assign(pure, {
  poly_left: (a: Polygon, b: Polygon) => a.box.high.x < b.box.low.x, poly_overleft: (a: Polygon, b: Polygon) => a.box.high.x <= b.box.high.x,
  poly_right: (a: Polygon, b: Polygon) => a.box.low.x > b.box.high.x, poly_overright: (a: Polygon, b: Polygon) => a.box.low.x >= b.box.low.x,
  poly_below: (a: Polygon, b: Polygon) => a.box.high.y < b.box.low.y, poly_overbelow: (a: Polygon, b: Polygon) => a.box.high.y <= b.box.high.y,
  poly_above: (a: Polygon, b: Polygon) => a.box.low.y > b.box.high.y, poly_overabove: (a: Polygon, b: Polygon) => a.box.low.y >= b.box.low.y,
  poly_same: (a: Polygon, b: Polygon) => a.points.length === b.points.length && geo.samePoints(a.points, b.points),
  poly_overlap: geo.polygonsOverlap, poly_contain: geo.polygonContains, poly_contained: (a: Polygon, b: Polygon) => geo.polygonContains(b, a),
  poly_contain_pt: (a: Polygon, p: Point) => geo.inside(p, a.points), pt_contained_poly: (p: Point, a: Polygon) => geo.inside(p, a.points),
  poly_distance: (a: Polygon, b: Polygon) => (geo.polygonsOverlap(a, b) ? 0
    : geo.least(geo.polygonEdges(a).flatMap((s) => geo.polygonEdges(b).map((t) => geo.segmentToSegment(s, t).distance)))),
  poly_npoints: (a: Polygon) => a.points.length, poly_center: (a: Polygon) => polygonCircle(a).center, poly_box: (a: Polygon) => a.box, spg_poly_quad_compress: (a: Polygon) => a.box,
  poly_path: (a: Polygon) => new Path(true, a.points), poly_circle: polygonCircle,
});

// --- circles

const circleArea = ({ radius }: Circle): number => float8Multiply(float8Multiply(radius, radius), Math.PI);
const between = (c: Circle, d: Circle): number => geo.distance(c.center, d.center);
const notNegative = (a: number): number => (a < 0 ? 0 : a);
const toPoint = (c: Circle, p: Point): number => notNegative(float8Subtract(geo.distance(p, c.center), c.radius));
const right = (c: Circle): number => float8Add(c.center.x, c.radius), left = (c: Circle): number => float8Subtract(c.center.x, c.radius);
const top = (c: Circle): number => float8Add(c.center.y, c.radius), bottom = (c: Circle): number => float8Subtract(c.center.y, c.radius);
const scaled = (op: (p: Point, q: Point) => Point, scale: (a: number, b: number) => number) => (c: Circle, p: Point): Circle =>
  new Circle(op(c.center, p), scale(c.radius, geo.hypot(p.x, p.y)));

function circlePolygon(count: number, { center, radius }: Circle): Polygon {
  if (zero(radius)) throw new PgError('feature_not_supported', 'cannot convert circle with radius zero to polygon');
  if (count < 2) throw invalidParameter('must request at least 2 points');
  if (count * 16 + 40 > 0x3fffffff) throw limitExceeded('too many points requested');
  const step = (2 * Math.PI) / count;
  return new Polygon(Array.from({ length: count }, (_, i) => new Point(
    float8Subtract(center.x, float8Multiply(radius, port.libm.cos(i * step))), float8Add(center.y, float8Multiply(radius, port.libm.sin(i * step))))));
}

comparisons('circle', circleArea, true);
Object.assign(pure, {
  circle_same: (c: Circle, d: Circle) => ((c.radius !== c.radius && d.radius !== d.radius) || eq(c.radius, d.radius)) && geo.samePoint(c.center, d.center),
  circle_overlap: (c: Circle, d: Circle) => le(between(c, d), float8Add(c.radius, d.radius)),
  circle_contain: (c: Circle, d: Circle) => le(between(c, d), float8Subtract(c.radius, d.radius)),
  circle_contained: (c: Circle, d: Circle) => le(between(c, d), float8Subtract(d.radius, c.radius)),
  circle_left: (c: Circle, d: Circle) => lt(right(c), left(d)), circle_overleft: (c: Circle, d: Circle) => le(right(c), right(d)),
  circle_right: (c: Circle, d: Circle) => gt(left(c), right(d)), circle_overright: (c: Circle, d: Circle) => ge(left(c), left(d)),
  circle_below: (c: Circle, d: Circle) => lt(top(c), bottom(d)), circle_overbelow: (c: Circle, d: Circle) => le(top(c), top(d)),
  circle_above: (c: Circle, d: Circle) => gt(bottom(c), top(d)), circle_overabove: (c: Circle, d: Circle) => ge(bottom(c), bottom(d)),
  circle_area: circleArea, circle_diameter: (c: Circle) => float8Multiply(c.radius, 2), circle_radius: (c: Circle) => c.radius,
  circle_center: (c: Circle) => c.center,
  circle_distance: (c: Circle, d: Circle) => notNegative(float8Subtract(between(c, d), float8Add(c.radius, d.radius))),
  circle_contain_pt: (c: Circle, p: Point) => geo.distance(c.center, p) <= c.radius, pt_contained_circle: (p: Point, c: Circle) => geo.distance(c.center, p) <= c.radius,
  dist_pc: (p: Point, c: Circle) => toPoint(c, p), dist_cpoint: toPoint,
  cr_circle: (center: Point, radius: number) => new Circle(center, radius),
  circle_box: ({ center, radius }: Circle) => {
    const delta = float8Divide(radius, Math.SQRT2);
    return new Box(new Point(float8Add(center.x, delta), float8Add(center.y, delta)), new Point(float8Subtract(center.x, delta), float8Subtract(center.y, delta)));
  },
  circle_poly: circlePolygon,
  circle_add_pt: (c: Circle, p: Point) => new Circle(geo.addPoints(c.center, p), c.radius),
  circle_sub_pt: (c: Circle, p: Point) => new Circle(geo.subtractPoints(c.center, p), c.radius),
  circle_mul_pt: scaled(geo.multiplyPoints, float8Multiply), circle_div_pt: scaled(geo.dividePoints, float8Divide),
});

// --- between types

/** The closest point, NULL when NaN is about. */
const pointOf = ({ point, distance }: geo.Closest): Point | null => (distance !== distance ? null : point);

Object.assign(pure, {
  on_pl: (p: Point, l: Line) => geo.onLine(l, p), on_ps: (p: Point, s: LSeg) => geo.onSegment(s, p), on_ppath: onPath,
  on_sl: (s: LSeg, l: Line) => geo.onLine(l, s.a) && geo.onLine(l, s.b), on_sb: (s: LSeg, b: Box) => geo.inBox(b, s.a) && geo.inBox(b, s.b),
  inter_sl: (s: LSeg, l: Line) => geo.segmentLineCrossing(s, l) !== null, inter_sb: (s: LSeg, b: Box) => geo.boxCrossesSegment(b, s),
  inter_lb: (l: Line, b: Box) => geo.sides(b).some((side) => geo.segmentLineCrossing(side, l) !== null),
  close_pl: (p: Point, l: Line) => pointOf(geo.closestOnLine(l, p)), close_ps: (p: Point, s: LSeg) => pointOf(geo.closestOnSegment(s, p)),
  close_pb: (p: Point, b: Box) => pointOf(geo.closestInBox(b, p)), close_sb: (s: LSeg, b: Box) => pointOf(geo.segmentToBox(b, s)),
  close_ls: (l: Line, s: LSeg) => (geo.segmentSlope(s) === geo.lineSlope(l) ? null : pointOf(geo.segmentToLine(s, l))),
  close_lseg: (s: LSeg, t: LSeg) => (geo.segmentSlope(s) === geo.segmentSlope(t) ? null : pointOf(geo.segmentToSegment(t, s))),
  dist_pl: (p: Point, l: Line) => geo.closestOnLine(l, p).distance, dist_lp: (l: Line, p: Point) => geo.closestOnLine(l, p).distance,
  dist_ps: (p: Point, s: LSeg) => geo.closestOnSegment(s, p).distance, dist_sp: (s: LSeg, p: Point) => geo.closestOnSegment(s, p).distance,
  dist_pb: (p: Point, b: Box) => geo.closestInBox(b, p).distance, dist_bp: (b: Box, p: Point) => geo.closestInBox(b, p).distance,
  dist_sl: (s: LSeg, l: Line) => geo.segmentToLine(s, l).distance, dist_ls: (l: Line, s: LSeg) => geo.segmentToLine(s, l).distance,
  dist_sb: (s: LSeg, b: Box) => geo.segmentToBox(b, s).distance, dist_bs: (b: Box, s: LSeg) => geo.segmentToBox(b, s).distance,
  dist_ppath: pointToPath, dist_pathp: (path: Path, p: Point) => pointToPath(p, path),
  dist_ppoly: geo.pointToPolygon, dist_polyp: (a: Polygon, p: Point) => geo.pointToPolygon(p, a),
  dist_cpoly: (c: Circle, a: Polygon) => notNegative(float8Subtract(geo.pointToPolygon(c.center, a), c.radius)),
  dist_polyc: (a: Polygon, c: Circle) => notNegative(float8Subtract(geo.pointToPolygon(c.center, a), c.radius)),
});

// --- subscripts: these types are arrays of fixed length to SQL (raw_array_subscript_handler)

function subscripts<T extends object, E extends number | object>(typname: string, parts: (value: T) => readonly E[], make: (parts: readonly E[]) => T): void {
  pure[`subscript_${typname}`] = (value: T, upper: readonly (number | null)[], lower: readonly unknown[] | null): E | null => {
    if (lower !== null) throw new PgError('feature_not_supported', 'slices of fixed-length arrays not implemented');
    return upper.length === 1 && upper[0] !== null ? parts(value)[upper[0]!] ?? null : null;
  };
  pure[`subscript_assign_${typname}`] = (value: T | null, upper: readonly (number | null)[], element: E | null): T | null => {
    const [index] = upper;
    if (index === null || index === undefined) throw new PgError('null_value_not_allowed', 'array subscript in assignment must not be null');
    // There is no point with only one coordinate.
    if (value === null || element === null) return value;
    const list = [...parts(value)];
    if (upper.length !== 1) throw new PgError('array_subscript_error', 'wrong number of array subscripts');
    if (index < 0 || index >= list.length) throw new PgError('array_subscript_error', 'array subscript out of range');
    list[index] = element;
    return make(list);
  };
}

subscripts<Point, number>('point', ({ x, y }) => [x, y], ([x, y]) => new Point(x!, y!));
subscripts<LSeg, Point>('lseg', ({ a, b }) => [a, b], ([a, b]) => new LSeg(a!, b!));
subscripts<Box, Point>('box', ({ high, low }) => [high, low], ([p, q]) => new Box(p!, q!));
subscripts<Line, number>('line', ({ a, b, c }) => [a, b, c], ([a, b, c]) => new Line(a!, b!, c!));

registerBuiltins({ pure });
