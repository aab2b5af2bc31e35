// Expressions evaluated outside a plan: defaults, checks, index expressions and predicates, constant folding.
import { internalError } from '../../common/errors.ts';
import { TableOidAttributeNumber } from '../catalog/pg_class.ts';
import { procByOid } from '../catalog/syscache.ts';
import { exprCollation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import type { Const, Expr, FuncExpr, OpExpr, Var } from '../nodes/primnodes.ts';
import { RecordValue, makeArray, type Datum, type Oid } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { RECORDOID } from '../types/oids.ts';
import { pinLiteral } from '../utils/session.ts';
import { type Column, Generator, instantiate } from './codegen.ts';
import { type ExprContext, genExpr, genTest } from './expr_codegen.ts';
import { checkExecute, collectRestricted, functionInfo, makeContext } from './fmgr_info.ts';
import { walkExpr } from './plan_walker.ts';
import { collatedFunction } from './collated.ts';

/** `slots`: values of lifted literals (Const.slot), for expressions that belong to a plan. */
export type CompiledExpr = (params?: readonly Datum[] | null, row?: readonly Datum[] | null, slots?: readonly Datum[]) => Datum;

const NO_PARAMS: readonly Datum[] = [];

interface ExprRuntime { params: readonly Datum[]; slots: readonly Datum[]; row: readonly Datum[]; exec: Datum[] }

/** A function of parameters and of the row that Vars (of whatever varno) read from: `row[varattno - 1]`. `tableOid`: whose rows they are. */
export function compileExpr(expr: Expr, tableOid: Oid = 0): CompiledExpr {
  const run = compileWith(expr, false, tableOid);
  return (params, row, slots) => {
    const p = params ?? NO_PARAMS;
    return run({ params: p, slots: slots ?? p, row: row ?? NO_PARAMS, exec: [] }) as Datum;
  };
}

/** Several conditions ANDed: true unless one is false or NULL. */
export function compilePredicate(quals: readonly Expr[]): (params: readonly Datum[] | null, row: readonly Datum[], slots?: readonly Datum[]) => boolean {
  const runs = quals.map((q) => compileWith(q, true));
  return (params, row, slots) => {
    const p = params ?? NO_PARAMS;
    for (const run of runs) if (!run({ params: p, slots: slots ?? p, row, exec: [] })) return false;
    return true;
  };
}

/** As PostgreSQL does, whoever sets an expression up must have the right to call its functions. */
function compileWith(expr: Expr, asTest: boolean, tableOid: Oid = 0): (rt: ExprRuntime) => unknown {
  const restricted = new Set<Oid>();
  const run = collectRestricted(restricted, () => compileChecked(expr, asTest, tableOid));
  if (restricted.size > 0) checkExecute([...restricted]);
  return run;
}

function compileChecked(expr: Expr, asTest: boolean, tableOid: Oid): (rt: ExprRuntime) => unknown {
  const g = new Generator();
  g.emit('const R = rt.row;');
  const columns = new Map<number, Column>();
  const cx: ExprContext = {
    var: (node: Var) => {
      let column = columns.get(node.varattno);
      if (column === undefined) {
        if (node.varattno === TableOidAttributeNumber && tableOid !== 0) return { nullable: false, type: node.vartype, read: () => String(tableOid) };
        if (node.varattno === 0 && node.vartype !== RECORDOID) return { nullable: false, type: node.vartype, read: () => `${g.konst(wholeRow)}(${node.vartype}, R)` };
        if (node.varattno < 1) throw internalError(`column ${node.varattno} in an expression outside a plan`);
        column = { nullable: true, type: node.vartype, read: () => `R[${node.varattno - 1}]` };
        columns.set(node.varattno, column);
      }
      return column;
    },
  };
  const code = asTest ? genTest(g, expr, cx) : genExpr(g, expr, cx).code;
  g.emit(`return ${code};`);
  return instantiate(g.text(), g.constants);
}

const wholeRow = (typeOid: Oid, row: readonly Datum[]): RecordValue => {
  const attributes = typeHooks.rowAttributes(typeOid, -1);
  return new RecordValue(typeOid, attributes, attributes.map((_a, i) => row[i] ?? null));
};

/** The value of an expression without Vars and parameters. A plan built on it cannot be kept for other literals. */
function evaluateConst(expr: Expr): Datum {
  if (expr.kind === 'Const') {
    pinLiteral(expr.slot);
    return expr.constvalue;
  }
  if (expr.kind === 'ArrayExpr' && !expr.multidims && expr.elements.every((e) => e.kind === 'Const' && e.slot === undefined)) {
    return makeArray(expr.element_typeid, expr.elements.map((e) => (e as Const).constvalue));
  }
  const called = expr.kind === 'FuncExpr' ? callOfConstants(expr, expr.funcid, expr.args) : expr.kind === 'OpExpr' ? callOfConstants(expr, expr.opfuncid, expr.args) : undefined;
  if (called !== undefined) return called;
  let slots = false;
  walkExpr(expr, (node) => {
    if (node.kind !== 'Const' || node.slot === undefined) return;
    pinLiteral(node.slot);
    slots = true;
  });
  return compileExpr(slots ? withoutSlots(expr) : expr)();
}

/** A function of constants is called as it is: to make code for it takes ten times as long, and a row of VALUES has several (each number
 * in a bigint column, each text with a length). Undefined: it is not that simple. */
function callOfConstants(expr: FuncExpr | OpExpr, funcid: Oid, args: readonly Expr[]): Datum | undefined {
  const values: Datum[] = [];
  for (const arg of args) {
    if (arg.kind !== 'Const' || arg.slot !== undefined) return undefined;
    values.push(arg.constvalue);
  }
  const info = functionInfo(funcid), { builtin } = info;
  if (!info.internal || builtin === undefined || builtin.kind === 'set' || (procByOid(funcid)?.proacl ?? null) !== null || collatedFunction(info.prosrc, expr.inputcollid) !== null) return undefined;
  if (info.strict && values.includes(null)) return null;
  if (builtin.kind === 'pure') return builtin.fn(...values) ?? null;
  const isFunction = expr.kind === 'FuncExpr';
  return builtin.fn(makeContext(funcid, args.map(exprType), isFunction ? expr.funcresulttype : expr.opresulttype, expr.inputcollid, isFunction && expr.funcvariadic), ...values) ?? null;
}

/** The same as a Const node. */
export function foldToConst(expr: Expr): Const {
  return {
    kind: 'Const', consttype: exprType(expr), consttypmod: exprTypmod(expr), constcollid: exprCollation(expr),
    constvalue: evaluateConst(expr), location: -1,
  };
}

import { expressionTreeMutator } from '../nodes/nodeFuncs.ts';
function withoutSlots(expr: Expr): Expr {
  const mutate = (node: any): any => {
    if (node?.kind === 'Const' && node.slot !== undefined) {
      const { slot: _slot, ...rest } = node as Const;
      return rest;
    }
    return expressionTreeMutator(node, mutate);
  };
  return mutate(expr) as Expr;
}
