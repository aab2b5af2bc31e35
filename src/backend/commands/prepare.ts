// PREPARE, EXECUTE, DEALLOCATE, and the store of prepared statements that the protocol's Parse shares with them
// (PostgreSQL's prepare.c).
import { PgError } from '../../common/errors.ts';
import { compileExpr } from '../executor/expression.ts';
import { coerceToTargetType } from '../parser/parse_coerce.ts';
import { errorPosition, makeParseState } from '../parser/parse_node.ts';
import { transformExpr } from '../parser/parse_expr.ts';
import { typenameTypeId } from '../parser/parse_type.ts';
import { exprLocation, exprType } from '../nodes/nodeFuncs.ts';
import type { RawNode } from '../parser/raw_parser.ts';
import { formatType } from '../catalog/format_type.ts';
import type { ResultColumn } from '../executor/dest.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { UNKNOWNOID } from '../types/oids.ts';
import { CachedStatement, asRawStmt } from '../tcop/plancache.ts';
import { FETCH_ALL, Portal } from '../tcop/portal.ts';
import type { UtilityContext, UtilityResult, UtilityTable } from '../tcop/utility.ts';
import { session } from '../utils/session.ts';

export interface PreparedStatement {
  readonly name: string;
  readonly statement: CachedStatement;
  readonly fromSql: boolean;
  readonly prepareTime: number;
}

const prepared = new Map<string, PreparedStatement>();

export function storePreparedStatement(name: string, statement: CachedStatement, fromSql: boolean): void {
  if (prepared.has(name)) throw new PgError('duplicate_prepared_statement', `prepared statement "${name}" already exists`);
  prepared.set(name, { name, statement, fromSql, prepareTime: session.statementStart });
}

export function fetchPreparedStatement(name: string): PreparedStatement {
  const found = prepared.get(name);
  if (found === undefined) throw new PgError('invalid_sql_statement_name', `prepared statement "${name}" does not exist`);
  return found;
}

export const dropPreparedStatement = (name: string): boolean => prepared.delete(name);
export const dropAllPreparedStatements = (): void => prepared.clear();
export const allPreparedStatements = (): Iterable<PreparedStatement> => prepared.values();

/** Each parameter up to the last one must have got a type. */
export function requireParameterTypes(types: readonly Oid[]): void {
  const unknown = types.findIndex((type) => type === 0 || type === UNKNOWNOID);
  if (unknown >= 0) throw new PgError('indeterminate_datatype', `could not determine data type of parameter $${unknown + 1}`);
}

interface PrepareStmt { name: string; argtypes?: RawNode[]; query: RawNode }

function prepareQuery(stmt: PrepareStmt, context: UtilityContext): void {
  if (!stmt.name) throw new PgError('invalid_sql_statement_name', 'invalid statement name: must not be empty');
  const paramTypes = (stmt.argtypes ?? []).map((t) => typenameTypeId(makeParseState(context.text), t as never));
  const statement = new CachedStatement(context.text, asRawStmt(stmt.query), paramTypes, true, true);
  statement.describe();
  requireParameterTypes(statement.paramTypes);
  storePreparedStatement(stmt.name, statement, true);
}

interface ExecuteStmt { name: string; params?: RawNode[] }

/** Evaluates EXECUTE's arguments as assignments to the declared types. */
export function evaluateParams(args: readonly RawNode[], types: readonly Oid[], name: string, text: string): Datum[] {
  if (types.length === 0) return []; // as there: nobody looks at them
  if (args.length !== types.length) {
    throw new PgError('syntax_error', `wrong number of parameters for prepared statement "${name}"`, {
      detail: `Expected ${types.length} parameters but got ${args.length}.`,
    });
  }
  return args.map((arg, i) => {
    const state = makeParseState(text);
    const expr = transformExpr(state, arg, 'execute_parameter');
    const given = exprType(expr);
    const coerced = coerceToTargetType(state, expr, given, types[i]!, -1, 'assignment', 'implicit_cast', -1);
    if (coerced === null) {
      throw new PgError('datatype_mismatch', `parameter $${i + 1} of type ${formatType(given)} cannot be coerced to the expected type ${formatType(types[i]!)}`, {
        hint: 'You will need to rewrite or cast the expression.', position: errorPosition(state, exprLocation(expr)),
      });
    }
    return compileExpr(coerced)([]);
  });
}

function executeQuery(stmt: ExecuteStmt, context: UtilityContext): UtilityResult {
  const { statement } = fetchPreparedStatement(stmt.name);
  const params = evaluateParams(stmt.params ?? [], statement.paramTypes, stmt.name, context.text);
  const portal = new Portal('', statement, params, statement.unitsFor(params));
  const { tag } = portal.run(FETCH_ALL, context.dest);
  return { tag };
}

function executeColumns(stmt: ExecuteStmt): ResultColumn[] | null {
  const found = prepared.get(stmt.name);
  if (found === undefined) return null;
  return found.statement.columns;
}

function deallocate(stmt: { name?: string }): void {
  if (!stmt.name) dropAllPreparedStatements();
  else if (!dropPreparedStatement(stmt.name)) fetchPreparedStatement(stmt.name);
}

export const PREPARE_COMMANDS: UtilityTable = {
  PrepareStmt: { run: prepareQuery, readOnly: true },
  ExecuteStmt: { run: executeQuery, columns: executeColumns, readOnly: true },
  DeallocateStmt: { run: deallocate, readOnly: true },
};
