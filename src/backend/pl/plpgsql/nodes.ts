// What a PL/pgSQL function is after parsing: its variables ("datums") and statements (plpgsql.h). Statements are plain data;
// what an expression needs to be run is made when it is first run (expression.ts).
import type { Oid } from '../../types/datum.ts';
import type { Namespace } from './namespace.ts';

/** `rec`: record, a row type, or a domain over one. */
export interface PlType { readonly name: string; readonly oid: Oid; readonly kind: 'scalar' | 'rec' | 'pseudo'; readonly typmod: number; readonly collation: Oid; readonly isArray: boolean }

interface DatumBase { dno: number; name: string; line: number }
export interface PlVar extends DatumBase {
  kind: 'var'; type: PlType; isConst: boolean; notNull: boolean; defaultValue: PlExpr | null;
  /** A bound cursor's query, options and arguments. */
  cursorQuery: PlExpr | null; cursorOptions: number; cursorArgs: PlRow | null;
}
export interface PlRec extends DatumBase { kind: 'rec'; type: PlType; isConst: boolean; notNull: boolean; defaultValue: PlExpr | null }
/** A list of variables as one target. */
export interface PlRow extends DatumBase { kind: 'row'; fields: PlDatum[]; fieldNames: string[] }
export interface PlRecField extends DatumBase { kind: 'recfield'; rec: PlRec; field: string }
export type PlDatum = PlVar | PlRec | PlRow | PlRecField;
export type PlVariable = PlVar | PlRec | PlRow;

/** `expr`: what may follow SELECT. `assign`: a whole assignment. `statement`: a statement of SQL. */
export type ExprMode = 'expr' | 'assign' | 'statement';

export interface PlExpr {
  /** As messages show it. */
  readonly text: string;
  readonly mode: ExprMode;
  readonly namespace: Namespace;
  /** assign: how many of the target's names mean the variable, the variable, and where the value's expression begins in `text`. */
  readonly target: { datum: PlDatum; names: number; targetText: string; valueStart: number } | null;
  /** What was made of it; expression.ts. */
  prepared: unknown;
}

export type Stmt =
  | BlockStmt | AssignStmt | IfStmt | CaseStmt | LoopStmt | WhileStmt | ForIntStmt | ForQueryStmt | ForCursorStmt | ForDynStmt | ForeachStmt
  | ExitStmt | ReturnStmt | ReturnNextStmt | ReturnQueryStmt | RaiseStmt | AssertStmt | ExecSqlStmt | DynExecuteStmt | PerformStmt | CallStmt
  | GetDiagStmt | OpenStmt | FetchStmt | CloseStmt | CommitStmt | RollbackStmt;

interface StmtBase { line: number }
export interface PlCondition { name: string; sqlstate: string }
export interface ExceptionBlock { sqlstateVar: PlVar; sqlerrmVar: PlVar; handlers: { conditions: PlCondition[]; body: Stmt[]; line: number }[] }
export interface BlockStmt extends StmtBase { kind: 'block'; label: string | null; body: Stmt[]; variables: PlDatum[]; exceptions: ExceptionBlock | null }
export interface AssignStmt extends StmtBase { kind: 'assign'; target: PlDatum; expr: PlExpr }
export interface IfStmt extends StmtBase { kind: 'if'; arms: { line: number; cond: PlExpr; body: Stmt[] }[]; otherwise: Stmt[] | null }
export interface CaseStmt extends StmtBase { kind: 'case'; test: PlExpr | null; testVar: PlVar | null; arms: { line: number; cond: PlExpr; body: Stmt[] }[]; otherwise: Stmt[] | null }
export interface LoopStmt extends StmtBase { kind: 'loop'; label: string | null; body: Stmt[] }
export interface WhileStmt extends StmtBase { kind: 'while'; label: string | null; cond: PlExpr; body: Stmt[] }
export interface ForIntStmt extends StmtBase { kind: 'fori'; label: string | null; variable: PlVar; lower: PlExpr; upper: PlExpr; step: PlExpr | null; reverse: boolean; body: Stmt[] }
export interface ForQueryStmt extends StmtBase { kind: 'fors'; label: string | null; target: PlVariable; query: PlExpr; body: Stmt[] }
export interface ForCursorStmt extends StmtBase { kind: 'forc'; label: string | null; target: PlRec; cursor: PlVar; args: PlExpr | null; body: Stmt[] }
export interface ForDynStmt extends StmtBase { kind: 'dynfors'; label: string | null; target: PlVariable; query: PlExpr; params: PlExpr[]; body: Stmt[] }
export interface ForeachStmt extends StmtBase { kind: 'foreach'; label: string | null; target: PlDatum; slice: number; array: PlExpr; body: Stmt[] }
export interface ExitStmt extends StmtBase { kind: 'exit'; isExit: boolean; label: string | null; cond: PlExpr | null }
export interface ReturnStmt extends StmtBase { kind: 'return'; expr: PlExpr | null; variable: PlDatum | null }
export interface ReturnNextStmt extends StmtBase { kind: 'return_next'; expr: PlExpr | null; variable: PlDatum | null }
export interface ReturnQueryStmt extends StmtBase { kind: 'return_query'; query: PlExpr | null; dynamic: PlExpr | null; params: PlExpr[] }
export type RaiseOption = 'errcode' | 'message' | 'detail' | 'hint' | 'column' | 'constraint' | 'datatype' | 'table' | 'schema';
export type RaiseLevel = 'ERROR' | 'WARNING' | 'NOTICE' | 'INFO' | 'LOG' | 'DEBUG1';
export interface RaiseStmt extends StmtBase {
  kind: 'raise'; level: RaiseLevel; condition: string | null; message: string | null; params: PlExpr[]; options: { option: RaiseOption; expr: PlExpr }[];
}
export interface AssertStmt extends StmtBase { kind: 'assert'; cond: PlExpr; message: PlExpr | null }
export interface ExecSqlStmt extends StmtBase { kind: 'execsql'; query: PlExpr; into: PlVariable | null; strict: boolean }
export interface DynExecuteStmt extends StmtBase { kind: 'dynexecute'; query: PlExpr; into: PlVariable | null; strict: boolean; params: PlExpr[] }
export interface PerformStmt extends StmtBase { kind: 'perform'; expr: PlExpr }
export interface CallStmt extends StmtBase { kind: 'call'; expr: PlExpr; isCall: boolean }
export interface GetDiagStmt extends StmtBase { kind: 'getdiag'; stacked: boolean; items: { item: string; target: PlDatum }[] }
export interface OpenStmt extends StmtBase { kind: 'open'; cursor: PlVar; options: number; args: PlExpr | null; query: PlExpr | null; dynamic: PlExpr | null; params: PlExpr[] }
export type FetchDirection = 'forward' | 'backward' | 'absolute' | 'relative';
export interface FetchStmt extends StmtBase { kind: 'fetch'; target: PlVariable | null; cursor: PlVar; direction: FetchDirection; howMany: number; expr: PlExpr | null; isMove: boolean; severalRows: boolean }
export interface CloseStmt extends StmtBase { kind: 'close'; cursor: PlVar }
export interface CommitStmt extends StmtBase { kind: 'commit'; chain: boolean }
export interface RollbackStmt extends StmtBase { kind: 'rollback'; chain: boolean }

export type VariableConflict = 'error' | 'use_variable' | 'use_column';

/** How statements are named in CONTEXT lines (plpgsql_stmt_typename). */
export function statementName(s: Stmt): string {
  switch (s.kind) {
    case 'exit': return s.isExit ? 'EXIT' : 'CONTINUE';
    case 'getdiag': return s.stacked ? 'GET STACKED DIAGNOSTICS' : 'GET DIAGNOSTICS';
    case 'fetch': return s.isMove ? 'MOVE' : 'FETCH';
    case 'call': return s.isCall ? 'CALL' : 'DO';
    default: return STATEMENT_NAMES[s.kind];
  }
}

const STATEMENT_NAMES = {
  block: 'statement block', assign: 'assignment', if: 'IF', case: 'CASE', loop: 'LOOP', while: 'WHILE', fori: 'FOR with integer loop variable',
  fors: 'FOR over SELECT rows', forc: 'FOR over cursor', dynfors: 'FOR over EXECUTE statement', foreach: 'FOREACH over array', return: 'RETURN',
  return_next: 'RETURN NEXT', return_query: 'RETURN QUERY', raise: 'RAISE', assert: 'ASSERT', execsql: 'SQL statement', dynexecute: 'EXECUTE',
  perform: 'PERFORM', open: 'OPEN', close: 'CLOSE', commit: 'COMMIT', rollback: 'ROLLBACK',
} as const satisfies Partial<Record<Stmt['kind'], string>>;
