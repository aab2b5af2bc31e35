// Plans by the shape of a text: what remains of it without its integers (literals.ts). For the simple protocol, and for PL/pgSQL's EXECUTE.
import { literalsAreStandard } from '../parser/escape_strings.ts';
import type { RawStmt } from '../parser/raw_parser.ts';
import { isOptimizable } from './cmdtag.ts';
import { assignSlots, liftLiterals, sameShape, type LiftedText } from './literals.ts';
import { CachedStatement, textCaches } from './plancache.ts';
import { TextCache } from '../utils/text_cache.ts';

/** By the hash of the shape, one each; `statement` null: this shape cannot be kept. */
interface Shape { like: LiftedText; statement: CachedStatement | null; negated: readonly boolean[] }
const MAX_SHAPES = 512;
const shapes = new TextCache<number, Shape>(MAX_SHAPES);
textCaches.push(shapes);

/** Runs a statement whose shape has a plan, or makes one of what `parse` gives, which must be the text's. False: it must be run as it is. */
export function withShape(text: string, parse: (text: string) => readonly RawStmt[], run: (statement: CachedStatement) => void): boolean {
  const lifted = literalsAreStandard() ? liftLiterals(text) : null;
  if (lifted === null) return false;
  const known = shapes.get(lifted.hash);
  let shape = known !== undefined && sameShape(known.like, lifted) ? known : null;
  if (shape !== null && shape.statement === null) return false;
  const isNew = shape === null;
  if (shape === null) {
    const list = parse(text);
    if (list.length !== 1 || !isOptimizable(list[0]!.stmt)) return false;
    const assigned = assignSlots(list[0]!, text, lifted);
    if (assigned === null) {
      shapes.set(lifted.hash, { like: lifted, statement: null, negated: [] });
      return false;
    }
    shape = { like: lifted, statement: new CachedStatement(text, assigned.raw, [], false, false), negated: assigned.negated };
  }
  const statement = shape.statement!, { negated } = shape;
  statement.bind(lifted, negated);
  try {
    run(statement);
  } finally {
    // Made (anew) just now, from these very literals: good for others only if none of them played a part.
    if (isNew || !statement.liftable) shapes.set(lifted.hash, { like: lifted, statement: statement.liftable ? statement : null, negated });
  }
  return true;
}
