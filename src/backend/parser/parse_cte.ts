// WITH: the order of its queries, recursion, and SEARCH and CYCLE (parse_cte.c).
import { internalError } from '../../common/errors.ts';
import { formatTypeWithTypmod } from '../catalog/format_type.ts';
import { typeOperators } from '../catalog/lsyscache.ts';
import * as sys from '../catalog/syscache.ts';
import { makeQuery } from '../nodes/makefuncs.ts';
import { exprCollation, exprLocation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import type { CommonTableExpr, CTECycleClause, CTESearchClause } from '../nodes/parsenodes.ts';
import type { TargetEntry } from '../nodes/primnodes.ts';
import * as T from '../types/oids.ts';
import { coerceToCommonType, selectCommonType, selectCommonTypmod } from './parse_coerce.ts';
import { assignExprCollations, selectCommonCollation } from './parse_collate.ts';
import { transformExpr } from './parse_expr.ts';
import { parserError, rawLocation, type ParseState } from './parse_node.ts';
import { formatType } from './parse_type.ts';
import type { RawNode } from './raw_nodes.ts';
import { recursion } from './recursion.ts';

/** A WITH query that is being analyzed: `analyzed` false while references to it are recursive. */
type WorkingCte = CommonTableExpr & { analyzed: boolean; raw: RawNode };

function makeCte(raw: RawNode): WorkingCte {
  const materialized: Record<string, CommonTableExpr['materialized']> = { CTEMaterializeDefault: 'default', CTEMaterializeAlways: 'always', CTEMaterializeNever: 'never' };
  return {
    ctename: raw.ctename as string, aliascolnames: (raw.aliascolnames as string[] | undefined) ?? [], materialized: materialized[raw.ctematerialized as string] ?? 'default',
    ctequery: makeQuery('select'), location: raw.location ?? -1, cterecursive: false, cterefcount: 0, ctecolnames: [], ctecoltypes: [], ctecoltypmods: [],
    ctecolcollations: [], search_clause: null, cycle_clause: null, analyzed: false, raw,
  };
}

/** Analyzes the queries of a WITH clause; they come into state.cteNamespace. */
export function transformWithClause(state: ParseState, clause: RawNode): CommonTableExpr[] {
  const raws = clause.ctes as RawNode[];
  const recursive = clause.recursive === true;
  raws.forEach((raw, i) => {
    for (const later of raws.slice(i + 1)) {
      if (later.ctename === raw.ctename) throw parserError(state, 'duplicate_alias', `WITH query name "${later.ctename}" specified more than once`, later.location);
    }
    if ((raw.ctequery as RawNode).tag === 'MergeStmt') throw parserError(state, 'feature_not_supported', 'MERGE not supported in WITH query', raw.location);
    if ((raw.ctequery as RawNode).tag !== 'SelectStmt') {
      if (state.parent !== null) {
        throw parserError(state, 'feature_not_supported', 'WITH clause containing a data-modifying statement must be at the top level', raw.location);
      }
      state.hasModifyingCTE = true;
    }
  });
  if (!recursive) {
    state.futureCtes = raws.slice();
    for (const raw of raws) {
      const cte = makeCte(raw);
      analyzeCte(state, cte);
      state.cteNamespace.push(cte);
      state.futureCtes = state.futureCtes.slice(1);
    }
    return finish(state.cteNamespace);
  }
  const ctes = raws.map(makeCte);
  const dependencies = ctes.map((cte) => {
    const names = referencedNames(cte.raw.ctequery as RawNode, new Set(ctes.map((c) => c.ctename)));
    return { cte, names };
  });
  for (const d of dependencies) d.cte.cterecursive = d.names.has(d.cte.ctename);
  // Sorted so that each stands after those it uses; a cycle through several is not supported.
  const sorted: WorkingCte[] = [];
  let left = dependencies;
  while (left.length > 0) {
    const next = left.find((d) => [...d.names].every((n) => n === d.cte.ctename || sorted.some((s) => s.ctename === n)));
    if (next === undefined) throw parserError(state, 'feature_not_supported', 'mutual recursion between WITH items is not implemented', left[0]!.cte.location);
    sorted.push(next.cte);
    left = left.filter((d) => d !== next);
  }
  for (const cte of sorted) if (cte.cterecursive) checkWellFormedRecursion(state, cte);
  state.cteNamespace = sorted;
  for (const cte of sorted) analyzeCte(state, cte);
  return finish(sorted);
}

/** The finished entries; the working fields stay behind. */
function finish(list: readonly CommonTableExpr[]): CommonTableExpr[] {
  for (const cte of list as WorkingCte[]) Object.defineProperties(cte, { analyzed: { enumerable: false }, raw: { enumerable: false } });
  return list as CommonTableExpr[];
}

function analyzeCte(state: ParseState, cte: WorkingCte): void {
  const raw = cte.raw;
  const search = raw.search_clause as RawNode | undefined;
  const cycle = raw.cycle_clause as RawNode | undefined;
  if (search !== undefined || cycle !== undefined) prepareSearchCycle(state, cte, search, cycle);
  const query = recursion.parseSubAnalyze(raw.ctequery, state, cte, false, true);
  cte.ctequery = query;
  cte.analyzed = true;
  query.canSetTag = query.commandType === 'select' ? query.canSetTag : false;
  if (query.commandType === 'utility') throw internalError('unexpected utility statement in WITH');
  const list = query.commandType === 'select' ? query.targetList : query.returningList;
  if (!cte.cterecursive) {
    analyzeCteTargetList(state, cte, list);
    return;
  }
  // The types were fixed by the non-recursive term; the result must have the same.
  let n = 0;
  for (const te of list) {
    if (te.resjunk) continue;
    const type = exprType(te.expr);
    const typmod = exprTypmod(te.expr);
    const wantType = cte.ctecoltypes[n]!;
    const wantTypmod = cte.ctecoltypmods[n]!;
    if (type !== wantType || typmod !== wantTypmod) {
      throw parserError(state, 'datatype_mismatch',
        `recursive query "${cte.ctename}" column ${n + 1} has type ${formatTypeWithTypmod(wantType, wantTypmod)} in non-recursive term but type ${formatTypeWithTypmod(type, typmod)} overall`, exprLocation(te.expr),
        { hint: 'Cast the output of the non-recursive term to the correct type.' });
    }
    const collation = exprCollation(te.expr);
    if (collation !== cte.ctecolcollations[n]) {
      throw parserError(state, 'collation_mismatch',
        `recursive query "${cte.ctename}" column ${n + 1} has collation "${sys.collationByOid(cte.ctecolcollations[n]!)?.collname}" in non-recursive term but collation "${sys.collationByOid(collation)?.collname}" overall`, exprLocation(te.expr),
        { hint: 'Use the COLLATE clause to set the collation of the non-recursive term.' });
    }
    n++;
  }
  if (cte.search_clause === null && cte.cycle_clause === null) return;
  const right = query.setOperations?.rarg;
  const recursiveTerm = right?.kind === 'RangeTblRef' ? query.rtable[right.rtindex - 1]?.subquery : undefined;
  if (!recursiveTerm?.rtable.some((rte) => rte.rtekind === 'cte' && rte.self_reference && rte.ctename === cte.ctename)) {
    throw parserError(state, 'feature_not_supported', `with a SEARCH or CYCLE clause, the recursive reference to WITH query "${cte.ctename}" must be at the top level of its right-hand SELECT`);
  }
  checkSearchCycle(state, cte);
}

/** Names and types of the columns, from the (non-recursive part of the) query's target list. */
export function analyzeCteTargetList(state: ParseState, cte: CommonTableExpr, list: readonly TargetEntry[]): void {
  cte.ctecolnames = cte.aliascolnames.slice();
  cte.ctecoltypes = [];
  cte.ctecoltypmods = [];
  cte.ctecolcollations = [];
  const aliases = cte.aliascolnames.length;
  let varattno = 0;
  for (const te of list) {
    if (te.resjunk) continue;
    varattno++;
    if (varattno > aliases) cte.ctecolnames.push(te.resname ?? '?column?');
    let type = exprType(te.expr);
    let collation = exprCollation(te.expr);
    if (cte.cterecursive && type === T.UNKNOWNOID) {
      type = T.TEXTOID;
      collation = 100;
    }
    cte.ctecoltypes.push(type);
    cte.ctecoltypmods.push(exprTypmod(te.expr));
    cte.ctecolcollations.push(collation);
  }
  if (varattno < aliases) {
    throw parserError(state, 'invalid_column_reference', `WITH query "${cte.ctename}" has ${varattno} columns available but ${aliases} columns specified`, cte.location);
  }
}

// ---- which WITH queries a raw query refers to ----------------------------------------------------------------

/** Names among `candidates` that are used as tables and mean the WITH list in question. */
function referencedNames(node: unknown, candidates: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  const visit = (value: unknown, hidden: ReadonlySet<string>): void => {
    if (Array.isArray(value)) {
      for (const v of value) visit(v, hidden);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    const n = value as RawNode;
    if (n.tag === 'RangeVar') {
      if (n.schemaname === undefined && candidates.has(n.relname) && !hidden.has(n.relname)) found.add(n.relname);
      return;
    }
    let inner = hidden;
    const withClause = n.withClause as RawNode | undefined;
    if (withClause !== undefined) {
      const names = (withClause.ctes as RawNode[]).map((c) => c.ctename as string);
      if (withClause.recursive === true) {
        inner = new Set([...hidden, ...names]);
        for (const c of withClause.ctes as RawNode[]) visit(c.ctequery, inner);
      } else {
        let growing: ReadonlySet<string> = hidden;
        for (const c of withClause.ctes as RawNode[]) {
          visit(c.ctequery, growing);
          growing = new Set([...growing, c.ctename as string]);
        }
        inner = growing;
      }
    }
    for (const key in n) if (key !== 'withClause' && key !== 'tag') visit(n[key], inner);
  };
  visit(node, new Set());
  return found;
}

// ---- recursion must have a form that can be run --------------------------------------------------------------

type RecursionContext = 'ok' | 'nonrecursive' | 'sublink' | 'outerjoin' | 'intersect' | 'except';
const RECURSION_ERRORS: Record<Exclude<RecursionContext, 'ok'>, string> = {
  nonrecursive: 'recursive reference to query "%" must not appear within its non-recursive term',
  sublink: 'recursive reference to query "%" must not appear within a subquery',
  outerjoin: 'recursive reference to query "%" must not appear within an outer join',
  intersect: 'recursive reference to query "%" must not appear within INTERSECT',
  except: 'recursive reference to query "%" must not appear within EXCEPT',
};

function checkWellFormedRecursion(state: ParseState, cte: WorkingCte): void {
  const stmt = cte.raw.ctequery as RawNode;
  if (stmt.tag !== 'SelectStmt') {
    throw parserError(state, 'invalid_recursion', `recursive query "${cte.ctename}" must not contain data-modifying statements`, cte.location);
  }
  if (stmt.op !== 'SETOP_UNION') {
    throw parserError(state, 'invalid_recursion', `recursive query "${cte.ctename}" does not have the form non-recursive-term UNION [ALL] recursive-term`, cte.location);
  }
  let selfrefs = 0;
  const check = (value: unknown, context: RecursionContext, hidden: boolean): void => {
    if (Array.isArray(value)) {
      for (const v of value) check(v, context, hidden);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    const n = value as RawNode;
    switch (n.tag) {
      case 'RangeVar':
        if (n.schemaname === undefined && n.relname === cte.ctename && !hidden) {
          if (context !== 'ok') throw parserError(state, 'invalid_recursion', RECURSION_ERRORS[context].replace('%', cte.ctename), n.location);
          if (++selfrefs > 1) {
            throw parserError(state, 'invalid_recursion', `recursive reference to query "${cte.ctename}" must not appear more than once`, n.location);
          }
        }
        return;
      case 'JoinExpr': {
        const outer = (side: boolean): RecursionContext => side && context === 'ok' ? 'outerjoin' : context;
        check(n.larg, outer(n.jointype === 'JOIN_FULL' || n.jointype === 'JOIN_RIGHT'), hidden);
        check(n.rarg, outer(n.jointype === 'JOIN_FULL' || n.jointype === 'JOIN_LEFT'), hidden);
        check(n.quals, context, hidden);
        return;
      }
      case 'SubLink':
        check(n.subselect, context === 'ok' ? 'sublink' : context, hidden);
        check(n.testexpr, context, hidden);
        return;
      case 'SelectStmt': {
        let shadow = hidden;
        const withClause = n.withClause as RawNode | undefined;
        if (withClause !== undefined) {
          const names = (withClause.ctes as RawNode[]).map((c) => c.ctename as string);
          for (const [i, c] of (withClause.ctes as RawNode[]).entries()) {
            const inScope = withClause.recursive === true ? names : names.slice(0, i);
            check(c.ctequery, context, hidden || inScope.includes(cte.ctename));
          }
          if (names.includes(cte.ctename)) shadow = true;
        }
        if (n.op === 'SETOP_NONE' || n.op === 'SETOP_UNION') {
          for (const key in n) if (key !== 'withClause' && key !== 'tag') check(n[key], context, shadow);
        } else if (n.op === 'SETOP_INTERSECT') {
          const inner = n.all === true && context === 'ok' ? 'intersect' : context;
          check(n.larg, inner, shadow);
          check(n.rarg, inner, shadow);
          for (const key of ['sortClause', 'limitOffset', 'limitCount', 'lockingClause']) check(n[key], context, shadow);
        } else {
          check(n.larg, n.all === true && context === 'ok' ? 'except' : context, shadow);
          check(n.rarg, context === 'ok' ? 'except' : context, shadow);
          for (const key of ['sortClause', 'limitOffset', 'limitCount', 'lockingClause']) check(n[key], context, shadow);
        }
        return;
      }
      default:
        for (const key in n) if (key !== 'tag') check(n[key], context, hidden);
    }
  };
  check(stmt.larg, 'nonrecursive', false);
  check(stmt.rarg, 'ok', false);
  const refuse = (clause: RawNode | undefined, name: string): void => {
    if (clause === undefined) return;
    const location = Array.isArray(clause) ? (clause[0] as RawNode).location : clause.location;
    throw parserError(state, 'feature_not_supported', `${name} in a recursive query is not implemented`, location);
  };
  if (stmt.withClause !== undefined) check((stmt.withClause as RawNode).ctes, 'sublink', false);
  refuse(stmt.sortClause === undefined ? undefined : { ...(stmt.sortClause as RawNode[])[0]!, location: rawLocation((stmt.sortClause as RawNode[])[0]!) }, 'ORDER BY');
  refuse(stmt.limitOffset === undefined ? undefined : { ...stmt.limitOffset, location: rawLocation(stmt.limitOffset) }, 'OFFSET');
  refuse(stmt.limitCount === undefined ? undefined : { ...stmt.limitCount, location: rawLocation(stmt.limitCount) }, 'LIMIT');
  refuse(stmt.lockingClause, 'FOR UPDATE/SHARE');
}

// ---- SEARCH and CYCLE ----------------------------------------------------------------------------------------

function prepareSearchCycle(state: ParseState, cte: WorkingCte, search: RawNode | undefined, cycle: RawNode | undefined): void {
  if (search !== undefined) {
    const clause: CTESearchClause = {
      search_col_list: search.search_col_list as string[], search_breadth_first: search.search_breadth_first === true, search_seq_column: search.search_seq_column as string, location: search.location ?? -1,
    };
    cte.search_clause = clause;
  }
  const where = (search ?? cycle)!.location;
  if (!cte.cterecursive) throw parserError(state, 'syntax_error', 'WITH query is not recursive', where);
  const stmt = cte.raw.ctequery as RawNode;
  if ((stmt.larg as RawNode | undefined)?.op !== 'SETOP_NONE') throw parserError(state, 'feature_not_supported', 'with a SEARCH or CYCLE clause, the left side of the UNION must be a SELECT');
  if ((stmt.rarg as RawNode).op !== 'SETOP_NONE') throw parserError(state, 'syntax_error', 'with a SEARCH or CYCLE clause, the right side of the UNION must be a SELECT');
  if (cycle === undefined) return;
  const value = transformExpr(state, cycle.cycle_mark_value, 'cycle_mark');
  const def = transformExpr(state, cycle.cycle_mark_default, 'cycle_mark');
  const { type } = selectCommonType(state, [value, def], 'CYCLE');
  const markValue = coerceToCommonType(state, value, type, 'CYCLE/SET/TO');
  const markDefault = coerceToCommonType(state, def, type, 'CYCLE/SET/DEFAULT');
  assignExprCollations(state, markValue);
  assignExprCollations(state, markDefault);
  const eq = typeOperators(type).eqOpr;
  if (eq === 0) throw parserError(state, 'undefined_function', `could not identify an equality operator for type ${formatType(type)}`);
  const clause: CTECycleClause = {
    cycle_col_list: cycle.cycle_col_list as string[], cycle_mark_column: cycle.cycle_mark_column as string, cycle_mark_value: markValue, cycle_mark_default: markDefault,
    cycle_path_column: cycle.cycle_path_column as string, cycle_mark_type: type, cycle_mark_typmod: selectCommonTypmod([markValue, markDefault], type),
    cycle_mark_collation: selectCommonCollation(state, [markValue, markDefault], true), cycle_mark_neop: sys.operatorByOid(eq)?.oprnegate ?? 0, location: cycle.location ?? -1,
  };
  cte.cycle_clause = clause;
}

function checkSearchCycle(state: ParseState, cte: CommonTableExpr): void {
  const { search_clause: search, cycle_clause: cycle } = cte;
  const names = cte.ctecolnames;
  const checkList = (list: readonly string[], what: string, location: number): void => {
    const seen = new Set<string>();
    for (const name of list) {
      if (!names.includes(name)) throw parserError(state, 'syntax_error', `${what} column "${name}" not in WITH query column list`, location);
      if (seen.has(name)) throw parserError(state, 'duplicate_column', `${what} column "${name}" specified more than once`, location);
      seen.add(name);
    }
  };
  if (search !== null) {
    checkList(search.search_col_list, 'search', search.location);
    if (names.includes(search.search_seq_column)) {
      throw parserError(state, 'syntax_error', `search sequence column name "${search.search_seq_column}" already used in WITH query column list`, search.location);
    }
  }
  if (cycle !== null) {
    checkList(cycle.cycle_col_list, 'cycle', cycle.location);
    const taken = (name: string, what: string): void => {
      if (names.includes(name)) throw parserError(state, 'syntax_error', `${what} column name "${name}" already used in WITH query column list`, cycle.location);
    };
    taken(cycle.cycle_mark_column, 'cycle mark');
    taken(cycle.cycle_path_column, 'cycle path');
    if (cycle.cycle_mark_column === cycle.cycle_path_column) throw parserError(state, 'syntax_error', 'cycle mark column name and cycle path column name are the same', cycle.location);
  }
  if (search !== null && cycle !== null) {
    if (search.search_seq_column === cycle.cycle_mark_column) throw parserError(state, 'syntax_error', 'search sequence column name and cycle mark column name are the same', search.location);
    if (search.search_seq_column === cycle.cycle_path_column) throw parserError(state, 'syntax_error', 'search sequence column name and cycle path column name are the same', search.location);
  }
}
