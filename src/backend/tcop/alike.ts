// A text of many statements that are alike but for their literals, as dumps and scripts send them: INSERT by INSERT. The grammar gets the
// first statement of each shape only, with blanks in place of the others, so that locations stay what they are; and those of one
// shape share one analysis and plan (literals.ts). Where anything is not as expected the whole text goes the ordinary way.
import { PgError } from '../../common/errors.ts';
import { literalsAreStandard } from '../parser/escape_strings.ts';
import { parseWhole, type RawStmt } from '../parser/raw_parser.ts';
import { plansSettingsVersion } from '../utils/guc.ts';
import { isOptimizable } from './cmdtag.ts';
import { assignSlots, isLiftable, liftStatement, sameShape, withLiterals, withSign, type LiftedText } from './literals.ts';
import { CachedStatement } from './plancache.ts';

const MIN_TEXT = 500, MIN_STATEMENTS = 8;

/** One statement of a text. */
export interface Part {
  readonly raw: RawStmt;
  /** To be called when its turn has come: what ran before may have changed what it means. */
  readonly statement: () => CachedStatement;
}

/** Of one shape, in this text. */
class Kind {
  readonly first: LiftedText;
  count = 1;
  raw: RawStmt | null = null;
  private negated: readonly boolean[] = [];
  private made: CachedStatement | null = null;
  private settingsVersion = -1;

  constructor(first: LiftedText) {
    this.first = first;
  }

  /** False: its literals are not where they should be. */
  assign(raw: RawStmt, text: string): boolean {
    this.raw = raw;
    if (this.count === 1) return true;
    const assigned = isOptimizable(raw.stmt) ? assignSlots(raw, text, this.first) : null;
    if (assigned === null || assigned.pinned.length > 0) return false;
    this.raw = assigned.raw;
    this.negated = assigned.negated;
    return true;
  }

  statement(text: string, lifted: LiftedText): CachedStatement {
    const raw = this.raw!;
    if (this.count === 1) return new CachedStatement(text, raw, [], false, false);
    if (this.made === null || this.settingsVersion !== plansSettingsVersion()) {
      this.made = new CachedStatement(text, raw, [], false, false);
      this.settingsVersion = plansSettingsVersion();
      this.made.bind(lifted, this.negated, []);
    } else if (!this.made.liftable || !this.made.bindIfAlike(lifted, this.negated)) {
      // What it was made for, it was made for alone.
      return new CachedStatement(text, withLiterals(raw, lifted.values.map((v, i) => withSign(v, this.negated[i]))), [], false, false);
    }
    return this.made;
  }
}

/** The statements of such a text; null: it is none. */
export function parseAlike(text: string): readonly Part[] | null {
  if (text.length < MIN_TEXT || !literalsAreStandard()) return null;
  const kinds = new Map<number, Kind>(), parts: { lifted: LiftedText; kind: Kind }[] = [];
  let shortened = '';
  for (let at = text.search(/\S/); at < text.length;) {
    const lifted = at < 0 ? null : liftStatement(text, at);
    if (lifted === null || (lifted.values.length > 0 && !isLiftable(text, at))) return null;
    const known = kinds.get(lifted.hash), piece = text.slice(at, lifted.to);
    if (known !== undefined && known.first.values.length > 0 && sameShape(known.first, lifted)) {
      known.count++;
      parts.push({ lifted, kind: known });
      shortened += ' '.repeat(Buffer.byteLength(piece));
    } else {
      const kind = new Kind(lifted);
      if (known === undefined) kinds.set(lifted.hash, kind);
      parts.push({ lifted, kind });
      shortened += piece;
    }
    at = lifted.to;
  }
  const different = parts.filter(({ lifted, kind }) => kind.first === lifted);
  if (parts.length < MIN_STATEMENTS || different.length * 2 > parts.length) return null;
  const list = parseOrNull(shortened);
  if (list?.length !== different.length || !different.every(({ kind }, i) => kind.assign(located(list[i]!, text, kind.first), text))) return null;
  return parts.map(({ lifted, kind }) => ({ raw: kind.raw!, statement: () => kind.statement(text, lifted) }));
}

function parseOrNull(text: string): readonly RawStmt[] | null {
  try {
    return parseWhole(text);
  } catch (error) {
    if (error instanceof PgError) return null; // the whole text tells where
    throw error;
  }
}

/** Without the blanks before it. */
function located(raw: RawStmt, text: string, { from, to }: LiftedText): RawStmt {
  return { ...raw, stmt_location: Buffer.byteLength(text.slice(0, from)), stmt_len: Buffer.byteLength(text.slice(from, to).replace(/\s*;?\s*$/, '')) };
}
