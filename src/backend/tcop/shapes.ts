// Plans by the shape of a text: what remains of it without its literals (literals.ts). For the simple protocol, and for PL/pgSQL's EXECUTE.
import { literalsAreStandard } from '../parser/escape_strings.ts';
import type { RawStmt } from '../parser/raw_parser.ts';
import { isOptimizable } from './cmdtag.ts';
import { assignSlots, liftLiterals, sameShape, type LiftedText } from './literals.ts';
import { CachedStatement, textCaches } from './plancache.ts';
import { TextCache } from '../utils/text_cache.ts';

/** By the hash of the shape, one each; `plans` null: this shape is not worth keeping. */
interface Shape {
  readonly like: LiftedText;
  /** For values that are not alike: newest first. */
  plans: CachedStatement[] | null;
  readonly negated: readonly boolean[];
  /** How often there was a plan, and not. */
  hits: number;
  misses: number;
}
const MAX_SHAPES = 512, MAX_PLANS = 4, MAX_MISSES = 20;
const shapes = new TextCache<number, Shape>(MAX_SHAPES);
textCaches.push(shapes);

/** Runs a statement whose shape has a plan, or makes one of what `parse` gives, which must be the text's. False: it must be run as it is. */
export function withShape(text: string, parse: (text: string) => readonly RawStmt[], run: (statement: CachedStatement) => void): boolean {
  const lifted = literalsAreStandard() ? liftLiterals(text) : null;
  if (lifted === null) return false;
  const known = shapes.get(lifted.hash);
  const shape = known !== undefined && sameShape(known.like, lifted) ? known : null;
  if (shape !== null) {
    if (shape.plans === null) return false;
    for (const statement of shape.plans) {
      if (!statement.bindIfAlike(lifted, shape.negated)) continue;
      shape.hits++;
      run(statement);
      if (!statement.liftable) shape.plans = null; // it was made anew
      return true;
    }
  }
  const list = parse(text);
  if (list.length !== 1 || !isOptimizable(list[0]!.stmt)) return false;
  const { raw, negated, pinned } = assignSlots(list[0]!, text, lifted);
  const statement = new CachedStatement(text, raw, [], false, false);
  statement.bind(lifted, negated, pinned);
  try {
    run(statement);
  } finally {
    if (statement.units.length > 0) keep(shape ?? { like: lifted, plans: [], negated, hits: 0, misses: 0 }, statement);
  }
  return true;
}

/** A plan made just now. */
function keep(shape: Shape, statement: CachedStatement): void {
  const { plans } = shape;
  if (plans === null) return;
  if (!statement.liftable || (++shape.misses > MAX_MISSES && shape.hits < shape.misses)) shape.plans = null;
  else {
    plans.unshift(statement);
    if (plans.length > MAX_PLANS) plans.pop();
  }
  shapes.set(shape.like.hash, shape);
}
