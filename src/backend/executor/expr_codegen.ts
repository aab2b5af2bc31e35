// Expressions as text. `genExpr` gives the text of a value, `genTest` the text of "is it true" for filters, where
// NULL counts as false. What must run before (steps that need a statement, calls) is emitted on the way, so both
// must be called where the value is to be computed.
import { internalError, notSupported } from '../../common/errors.ts';
import type {
  Aggref, BoolExpr, CaseExpr, Expr, GroupingFunc, MinMaxExpr, Param, ScalarArrayOpExpr, SubPlan, Var, WindowFunc,
} from '../nodes/primnodes.ts';
import { FirstNormalObjectId } from '../catalog/schema.ts';
import { operatorByOid } from '../catalog/syscache.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import { checkWhileWorking } from '../utils/interrupts.ts';
import { type ArrayValue, type Datum, type Oid, RecordValue } from '../types/datum.ts';
import { findBuiltin } from '../types/fmgr.ts';
import { typeHooks } from '../types/hooks.ts';
import type { Column, Generator, Value } from './codegen.ts';
import { callable, calledFunction, functionMissing, inputFunction, makeContext, outputFunction, typeInfo } from './fmgr_info.ts';
import { inliners, neverReturnsNull } from './inline.ts';
import { someExpr } from './plan_walker.ts';
import * as runtime from './expr_runtime.ts';
import { hashKeyFunction, isPrimitiveKey } from './sort_support.ts';
import { collatedFunction, compareWithoutCollation } from './collated.ts';
import { genXmlExpr } from './xml_codegen.ts';

/** Where an expression stands: what its Vars and other leaves mean. */
export interface ExprContext {
  readonly var: (node: Var) => Column;
  /** $n where it is not rt.params[n - 1]: variables of PL/pgSQL. */
  readonly externParam?: (node: Param) => Value;
  readonly execParam?: (paramid: number) => Value;
  readonly aggref?: (node: Aggref) => Value;
  readonly grouping?: (node: GroupingFunc) => Value;
  readonly window?: (node: WindowFunc) => Value;
  readonly subplan?: (node: SubPlan, cx: ExprContext) => Value;
  /** Whole expressions that are there already (group keys, hash keys), found by node identity. */
  readonly known?: ReadonlyMap<Expr, Column>;
  readonly caseTest?: Value;
  readonly domainValue?: Value;
}

const NULL: Value = { code: 'null', nullable: true };

export function genExpr(g: Generator, e: Expr, cx: ExprContext): Value {
  checkWhileWorking(1);
  const known = cx.known?.get(e);
  if (known !== undefined) return g.column(known);
  return (handlers[e.kind] as Handler<Expr>)(g, e, cx);
}

/** The value as a name or literal. */
export function genAtom(g: Generator, e: Expr, cx: ExprContext): Value {
  return g.atomic(genExpr(g, e, cx));
}

/** Emits the tests of ANDed conditions, in order; `otherwise` is the statement for a row that fails. */
export function genFilter(g: Generator, quals: readonly Expr[], cx: ExprContext, otherwise: string): void {
  for (const qual of quals) {
    if (qual.kind === 'BoolExpr' && qual.boolop === 'and') genFilter(g, qual.args, cx, otherwise);
    else g.emit(`if (!(${genTest(g, qual, cx)})) ${otherwise}`);
  }
}

/** Text that is truthy exactly when the expression is true. */
export function genTest(g: Generator, e: Expr, cx: ExprContext): string {
  switch (e.kind) {
    case 'BoolExpr':
      if (e.boolop !== 'not') return genAndOrTest(g, e, cx);
      break;
    case 'OpExpr': {
      const info = calledFunction(e.opfuncid);
      const inline = info.strict && info.internal && collatedFunction(info.prosrc, e.inputcollid) === null ? inliners.get(info.prosrc) : undefined;
      if (inline === undefined) break;
      const args = e.args.map((a) => genAtom(g, a, cx));
      if (args.some((a) => a.code === 'null')) return 'false';
      const tests = args.filter((a) => a.nullable).map((a) => `${a.code} !== null`);
      tests.push(inline(g, ...args.map((a) => a.code)));
      return tests.join(' && ');
    }
    default:
  }
  const value = genExpr(g, e, cx);
  return value.nullable ? `${value.code} === true` : value.code;
}

function genAndOrTest(g: Generator, e: BoolExpr, cx: ExprContext): string {
  const and = e.boolop === 'and';
  const first = genTest(g, e.args[0]!, cx);
  const rest = e.args.slice(1).map((arg) => g.capture(() => genTest(g, arg, cx)));
  if (rest.every((r) => r.lines.length === 0)) return `(${[first, ...rest.map((r) => r.result)].map((t) => `(${t})`).join(and ? ' && ' : ' || ')})`;
  const result = g.local(first, true);
  for (const { lines, result: test } of rest) {
    g.emit(`if (${and ? '' : '!'}(${result})) {`);
    g.append(lines);
    g.emit(`${result} = ${test}; }`);
  }
  return `(${result})`;
}

type Handler<E extends Expr> = (g: Generator, e: E, cx: ExprContext) => Value;

const handlers: { [K in Expr['kind']]: Handler<Extract<Expr, { kind: K }>> } = {
  Var: (g, e, cx) => g.column(cx.var(e)),
  Const: (g, e) => {
    if (e.slot !== undefined) return { code: g.hoisted(`S[${e.slot}]`), nullable: false };
    return genConst(g, e.constvalue);
  },
  Param: (g, e, cx) => {
    if (e.paramkind === 'extern') return cx.externParam?.(e) ?? { code: g.hoisted(`P[${e.paramid - 1}]`), nullable: true };
    if (cx.execParam === undefined) throw internalError(`parameter ${e.paramid} of kind ${e.paramkind} outside a plan`);
    return cx.execParam(e.paramid);
  },
  Aggref: (_g, e, cx) => {
    if (cx.aggref === undefined) throw internalError('aggregate outside an Agg node');
    return cx.aggref(e);
  },
  GroupingFunc: (_g, e, cx) => {
    if (cx.grouping === undefined) throw internalError('GROUPING outside an Agg node');
    return cx.grouping(e);
  },
  WindowFunc: (_g, e, cx) => {
    if (cx.window === undefined) throw internalError('window function outside a WindowAgg node');
    return cx.window(e);
  },
  SubPlan: (_g, e, cx) => {
    if (cx.subplan === undefined) throw notSupported('a subquery in this place');
    return cx.subplan(e, cx);
  },
  SubLink: () => { throw internalError('SubLink left in a plan'); },
  FuncExpr: (g, e, cx) => genCall(g, e.funcid, e.args, e.funcresulttype, e.inputcollid, e.funcvariadic, cx),
  OpExpr: (g, e, cx) => genCall(g, e.opfuncid, e.args, e.opresulttype, e.inputcollid, false, cx),
  NamedArgExpr: (g, e, cx) => genExpr(g, e.arg, cx),
  DistinctExpr: (g, e, cx) => {
    const [a, b] = e.args.map((arg) => genAtom(g, arg, cx)) as [Value, Value];
    const equal = callCode(g, e.opfuncid, [{ ...a, nullable: false }, { ...b, nullable: false }], e.args, e.opresulttype, e.inputcollid, false);
    if (!a.nullable && !b.nullable) return { code: `!(${equal})`, nullable: false };
    return { code: `(${a.code} === null || ${b.code} === null ? ${a.code} !== ${b.code} : !(${equal}))`, nullable: false };
  },
  NullIfExpr: (g, e, cx) => {
    const [a, b] = e.args.map((arg) => genAtom(g, arg, cx)) as [Value, Value];
    const equal = callCode(g, e.opfuncid, [{ ...a, nullable: false }, { ...b, nullable: false }], e.args, e.opresulttype, e.inputcollid, false);
    return { code: `(${a.code} !== null && ${b.code} !== null && ${equal} ? null : ${a.code})`, nullable: true };
  },
  ScalarArrayOpExpr: genScalarArrayOp,
  BoolExpr: (g, e, cx) => (e.boolop === 'not' ? genNot(g, e, cx) : genAndOr(g, e, cx)),
  CaseExpr: genCase,
  CaseTestExpr: (_g, _e, cx) => {
    if (cx.caseTest === undefined) throw internalError('CaseTestExpr outside a CASE');
    return cx.caseTest;
  },
  CoalesceExpr: (g, e, cx) => {
    const first = genExpr(g, e.args[0]!, cx);
    if (!first.nullable || e.args.length === 1) return first;
    const result = g.local(first.code, true);
    let nullable = true;
    for (const arg of e.args.slice(1)) {
      g.block(`if (${result} === null)`, () => {
        const value = genExpr(g, arg, cx);
        if (!value.nullable) nullable = false;
        g.emit(`${result} = ${value.code};`);
      });
    }
    return { code: result, nullable };
  },
  MinMaxExpr: genMinMax,
  XmlExpr: (g, e, cx) => genXmlExpr(g, e, (arg) => genAtom(g, arg, cx)),
  TableFunc: () => { throw internalError('XMLTABLE outside of FROM'); },
  NullTest: (g, e, cx) => {
    const value = genAtom(g, e.arg, cx);
    if (e.argisrow) {
      return { code: `${g.konst(e.isNull ? runtime.rowIsNull : runtime.rowIsNotNull)}(${value.code})`, nullable: false };
    }
    if (!value.nullable) return { code: e.isNull ? 'false' : 'true', nullable: false };
    return { code: `${value.code} ${e.isNull ? '===' : '!=='} null`, nullable: false };
  },
  BooleanTest: (g, e, cx) => {
    const { code } = genAtom(g, e.arg, cx);
    const test = {
      is_true: `${code} === true`, is_not_true: `${code} !== true`, is_false: `${code} === false`,
      is_not_false: `${code} !== false`, is_unknown: `${code} === null`, is_not_unknown: `${code} !== null`,
    }[e.booltesttype];
    return { code: test, nullable: false };
  },
  RelabelType: (g, e, cx) => {
    const source = exprType(e.arg);
    // integer and oid share their bits, but one is signed.
    if (source === 23 && isOidLike(e.resulttype)) {
      const value = genAtom(g, e.arg, cx);
      return guarded(value, `${value.code} >>> 0`, g, false);
    }
    if (e.resulttype === 23 && isOidLike(source)) {
      const value = genAtom(g, e.arg, cx);
      return guarded(value, `${value.code} | 0`, g, false);
    }
    // Casts WITHOUT FUNCTION, by way of a type of one's own: the bits are those of another number.
    let inner = e.arg;
    while (inner.kind === 'RelabelType') inner = inner.arg;
    const other = runtime.sameBits(exprType(inner), e.resulttype);
    if (other !== undefined) {
      const value = genAtom(g, inner, cx);
      return guarded(value, `${g.konst(other)}(${value.code})`, g, false);
    }
    return genExpr(g, e.arg, cx);
  },
  CollateExpr: (g, e, cx) => genExpr(g, e.arg, cx),
  PlaceHolderVar: () => { throw internalError('a placeholder in a plan'); },
  CoerceViaIO: (g, e, cx) => {
    const source = exprType(e.arg);
    const value = genAtom(g, e.arg, cx);
    const convert = runtime.viaIO(outputFunction(source), inputFunction(e.resulttype), e.resulttype);
    // A domain's constraints see nulls, too (its input function is not strict).
    const check = typeHooks.typeIo(e.resulttype).checkDomain;
    if (check !== undefined) return { code: `(${value.code} === null ? ${g.konst(check)}(null) : ${g.konst(convert)}(${value.code}))`, nullable: true };
    return guarded(value, `${g.konst(convert)}(${value.code})`, g, false);
  },
  ArrayCoerceExpr: (g, e, cx) => {
    const value = genAtom(g, e.arg, cx);
    const element = genElementFunction(g, e.elemexpr, cx);
    const type = runtime.elementType(e.resulttype);
    return guarded(value, `${g.konst(runtime.mapArray)}(${value.code}, ${type}, ${element})`, g, false);
  },
  ConvertRowtypeExpr: (g, e, cx) => {
    const value = genAtom(g, e.arg, cx);
    return guarded(value, `${g.konst(runtime.convertRow(e.resulttype))}(${value.code})`, g, false);
  },
  SubscriptingRef: (g, e, cx) => {
    const container = genAtom(g, e.refexpr, cx);
    const [only] = e.refupperindexpr;
    if (e.refassgnexpr === null && e.refupperindexpr.length === 1 && only && e.reflowerindexpr.length === 0 && runtime.isArrayType(e.refcontainertype)) {
      const place = genExpr(g, only, cx).code;
      return guarded(container, `${g.konst(runtime.elementOf)}(${container.code}, ${place})`, g, true);
    }
    const subscripts = (list: (Expr | null)[]): string =>
      `[${list.map((s) => (s === null ? 'undefined' : genExpr(g, s, cx).code)).join(', ')}]`;
    const upper = subscripts(e.refupperindexpr);
    const slice = e.reflowerindexpr.length > 0;
    const lower = slice ? subscripts(e.reflowerindexpr) : 'null';
    if (e.refassgnexpr !== null) {
      // A nested assignment changes the element that is there.
      const nested = someExpr(e.refassgnexpr, (n) => n.kind === 'CaseTestExpr');
      const old: Value = nested ? { code: g.local(`${container.code} === null ? null : ${g.konst(runtime.subscriptFetcher(e.refcontainertype))}(${container.code}, ${upper}, ${lower}) ?? null`), nullable: true } : NULL;
      const assigned = genExpr(g, e.refassgnexpr, { ...cx, caseTest: old });
      const assign = slice ? null : runtime.subscriptAssigner(e.refcontainertype);
      if (assign !== null) return { code: g.local(`${g.konst(assign)}(${container.code}, ${upper}, ${assigned.code})`), nullable: true };
      return { code: g.local(`${g.konst(runtime.assignSubscript)}(${container.code}, ${upper}, ${lower}, ${assigned.code}, ${e.refelemtype})`), nullable: true };
    }
    const fetch = runtime.subscriptFetcher(e.refcontainertype);
    return guarded(container, `${g.konst(fetch)}(${container.code}, ${upper}, ${lower})`, g, true);
  },
  FieldSelect: (g, e, cx) => {
    const value = genAtom(g, e.arg, cx);
    return guarded(value, `${value.code}.values[${e.fieldnum - 1}] ?? null`, g, true);
  },
  FieldStore: (g, e, cx) => {
    const value = genAtom(g, e.arg, cx);
    // A field may be assigned to in parts: each works on what the one before has made of it.
    const latest = new Map<number, Value>();
    const values = e.newvals.map((v, i) => {
      const field = e.fieldnums[i]!;
      const old = latest.get(field) ?? { code: `(${value.code} === null ? null : ${value.code}.values[${field - 1}] ?? null)`, nullable: true };
      const assigned = genExpr(g, v, { ...cx, caseTest: old });
      if (!e.fieldnums.includes(field, i + 1)) return assigned.code;
      const kept = g.atomic(assigned);
      latest.set(field, kept);
      return kept.code;
    });
    return { code: g.local(`${g.konst(runtime.storeFields(e.resulttype, e.fieldnums))}(${value.code}, [${values.join(', ')}])`), nullable: false };
  },
  ArrayExpr: (g, e, cx) => {
    const elements = e.elements.map((a) => genExpr(g, a, cx).code);
    const make = e.multidims ? runtime.makeNestedArray : runtime.makeArray;
    return { code: g.local(`${g.konst(make)}(${g.konst(e.element_typeid)}, [${elements.join(', ')}])`), nullable: false };
  },
  RowExpr: (g, e, cx) => {
    const values = e.args.map((a) => genExpr(g, a, cx).code);
    const make = runtime.rowMaker(e);
    return { code: g.local(`new ${g.konst(RecordValue)}(${g.konst(make.typeOid)}, ${g.konst(make.attributes)}, [${values.join(', ')}])`), nullable: false };
  },
  RowCompareExpr: (g, e, cx) => {
    const result = g.local('null', true);
    const last = e.opnos.length - 1;
    g.labelled((label) => {
      e.opnos.forEach((opno, i) => {
        const a = genAtom(g, e.largs[i]!, cx);
        const b = genAtom(g, e.rargs[i]!, cx);
        g.emit(`if (${a.code} === null || ${b.code} === null) ${g.jumpCode(label)}`);
        const compare = g.konst(runtime.orderingFunction(opno, e.opfamilies[i]!, e.inputcollids[i]!));
        const order = g.local(`${compare}(${a.code}, ${b.code})`);
        const verdict = `${order} ${e.rctype} 0`;
        if (i === last) g.emit(`${result} = ${verdict};`);
        else g.emit(`if (${order} !== 0) { ${result} = ${verdict}; ${g.jumpCode(label)} }`);
      });
    });
    return { code: result, nullable: true };
  },
  SQLValueFunction: (g, e) => ({ code: g.local(`${g.konst(runtime.sqlValueFunction(e))}()`), nullable: true }),
  CoerceToDomain: (g, e, cx) => {
    const value = genAtom(g, e.arg, cx);
    for (const check of runtime.domainChecks(e.resulttype)) {
      if (check.notNull) g.emit(`if (${value.code} === null) throw ${g.konst(check.violated)}();`);
      else if (check.expr !== null) {
        const test = genAtom(g, check.expr, { ...cx, domainValue: value });
        g.emit(`if (${test.code} === false) throw ${g.konst(check.violated)}();`);
      }
    }
    return value;
  },
  CoerceToDomainValue: (_g, _e, cx) => {
    if (cx.domainValue === undefined) throw internalError('VALUE outside a domain check');
    return cx.domainValue;
  },
  SetToDefault: () => { throw internalError('DEFAULT left in a plan'); },
  CurrentOfExpr: () => { throw notSupported('WHERE CURRENT OF'); },
  NextValueExpr: (g, e) => {
    const nextval = findBuiltin('nextval_identity');
    if (nextval === undefined) throw notSupported('function nextval');
    const call = nextval.kind === 'pure' ? nextval.fn : (seq: Oid) => (nextval.fn as (...a: unknown[]) => Datum)(makeContext(1574, [2205], 20, 0), seq);
    return { code: g.local(`${g.konst(call)}(${g.konst(e.seqid)})`), nullable: false };
  },
};

/** A literal's text when that is safe and useful to the compiler of the text, else a constant. */
function genConst(g: Generator, value: Datum): Value {
  if (value === null) return NULL;
  if (value === true || value === false) return { code: String(value), nullable: false };
  return { code: g.konst(value), nullable: false };
}

/** `code` unless the value is null. Calls are emitted at once so that they run once and in order. */
function guarded(value: Value, code: string, g: Generator, mayBeNull: boolean): Value {
  if (value.code === 'null') return NULL;
  return { code: g.local(value.nullable ? `${value.code} === null ? null : ${code}` : code), nullable: value.nullable || mayBeNull };
}

function genCall(
  g: Generator, funcid: Oid, argExprs: readonly Expr[], resultType: Oid, collation: Oid, variadic: boolean, cx: ExprContext,
): Value {
  const info = calledFunction(funcid);
  const args = argExprs.map((a) => genAtom(g, a, cx));
  if (info.strict && args.some((a) => a.code === 'null')) return NULL;
  const nulls = info.strict ? args.filter((a) => a.nullable).map((a) => `${a.code} === null`) : [];
  const inlined = info.strict && info.internal && inliners.has(info.prosrc);
  const make = (): string => callCode(g, funcid, args, argExprs, resultType, collation, variadic);
  // Of lifted literals it is done once, before there are any rows: it may fail.
  const ofLiterals = info.volatility === 'i' && info.internal && argExprs.every((a) => a.kind === 'Const') && argExprs.some((a) => a.kind === 'Const' && a.slot !== undefined);
  const { lines, result: code } = ofLiterals ? g.capture(make) : { lines: [], result: make() };
  g.append(lines);
  const once = ofLiterals && lines.length === 0;
  if (inlined) {
    return nulls.length === 0 ? { code: once ? g.hoisted(code) : code, nullable: false } : { code: g.local(`${nulls.join(' || ')} ? null : ${code}`), nullable: true };
  }
  const total = info.strict && info.internal && neverReturnsNull(info.prosrc);
  const call = total ? code : `${code} ?? null`;
  const value = nulls.length === 0 ? call : `${nulls.join(' || ')} ? null : ${call}`;
  return { code: once ? g.hoisted(value) : g.local(value), nullable: !total || nulls.length > 0 };
}

/** The bare call or its inlined form, nulls aside. */
function callCode(
  g: Generator, funcid: Oid, args: readonly Value[], argExprs: readonly Expr[], resultType: Oid, collation: Oid, variadic: boolean,
): string {
  const info = calledFunction(funcid);
  const codes = args.map((a) => a.code);
  const collated = info.internal ? collatedFunction(info.prosrc, collation) : null;
  if (collated !== null) return `${g.konst(collated)}(${codes.join(', ')})`;
  const inline = info.internal ? inliners.get(info.prosrc) : undefined;
  if (inline !== undefined) return inline(g, ...codes);
  const { builtin } = info;
  if (builtin === undefined) {
    return `${g.konst(() => { throw functionMissing(info); })}()`;
  }
  if (builtin.kind === 'pure') return `${g.konst(builtin.fn)}(${codes.join(', ')})`;
  if (builtin.kind === 'set') throw notSupported(`set-returning function ${info.name} in this place`);
  const context = { ...makeContext(funcid, argExprs.map(exprType), resultType, collation, variadic), ofColumn: argExprs.length === 1 && argExprs[0]!.kind === 'Var' };
  return `${g.konst(builtin.fn)}(${[g.konst(context), ...codes].join(', ')})`;
}

function genAndOr(g: Generator, e: BoolExpr, cx: ExprContext): Value {
  const and = e.boolop === 'and';
  const decided = and ? 'false' : 'true';
  const first = genAtom(g, e.args[0]!, cx);
  const rest = e.args.slice(1).map((arg) => g.capture(() => genExpr(g, arg, cx)));
  const simple = rest.every((r) => r.lines.length === 0 && !r.result.nullable);
  if (simple && !first.nullable) {
    return { code: `(${[first.code, ...rest.map((r) => r.result.code)].map((c) => `(${c})`).join(and ? ' && ' : ' || ')})`, nullable: false };
  }
  const result = g.local(first.code, true);
  let nullable = first.nullable;
  for (const { lines, result: value } of rest) {
    g.emit(`if (${result} !== ${decided}) {`);
    g.append(lines);
    if (value.nullable) {
      nullable = true;
      g.emit(`const w = ${value.code}; if (w === ${decided} || w === null) ${result} = w; }`);
    } else if (nullable) g.emit(`if (${value.code} === ${decided}) ${result} = ${decided}; }`);
    else g.emit(`${result} = ${value.code}; }`);
  }
  return { code: result, nullable };
}

function genNot(g: Generator, e: BoolExpr, cx: ExprContext): Value {
  const value = genAtom(g, e.args[0]!, cx);
  if (!value.nullable) return { code: `!(${value.code})`, nullable: false };
  return { code: `(${value.code} === null ? null : !${value.code})`, nullable: true };
}

function genCase(g: Generator, e: CaseExpr, cx: ExprContext): Value {
  const result = g.local('null', true);
  let nullable = false;
  let inner = cx;
  if (e.arg !== null) inner = { ...cx, caseTest: genAtom(g, e.arg, cx) };
  g.labelled((label) => {
    for (const when of e.args) {
      const test = genTest(g, when.expr, inner);
      g.block(`if (${test})`, () => {
        const value = genExpr(g, when.result, cx);
        nullable ||= value.nullable;
        g.emit(`${result} = ${value.code};`);
        g.jump(label);
      });
    }
    const value = e.defresult === null ? NULL : genExpr(g, e.defresult, cx);
    nullable ||= value.nullable;
    g.emit(`${result} = ${value.code};`);
  });
  return { code: result, nullable };
}

function genMinMax(g: Generator, e: MinMaxExpr, cx: ExprContext): Value {
  const compare = g.konst(compareWithoutCollation(e.minmaxtype, e.inputcollid) ?? runtime.typeComparator(e.minmaxtype, e.inputcollid));
  const result = g.local(genExpr(g, e.args[0]!, cx).code, true);
  let nullable = true;
  for (const arg of e.args.slice(1)) {
    const value = genAtom(g, arg, cx);
    if (!value.nullable) nullable = false;
    g.emit(`if (${value.code} !== null && (${result} === null || ${compare}(${value.code}, ${result}) ${e.op === 'greatest' ? '>' : '<'} 0)) ${result} = ${value.code};`);
  }
  return { code: result, nullable };
}

/** A function of one element, in text: for ArrayCoerceExpr and SOME/ALL. Its other inputs are constants. */
function genElementFunction(g: Generator, element: Expr, cx: ExprContext): string {
  const fn = g.fn(['x'], () => {
    const value = genExpr(g, element, { ...cx, caseTest: { code: 'x', nullable: true } });
    g.emit(`return ${value.code};`);
  });
  return fn.name;
}

function genScalarArrayOp(g: Generator, e: ScalarArrayOpExpr, cx: ExprContext): Value {
  const info = calledFunction(e.opfuncid);
  const scalar = genAtom(g, e.args[0], cx);
  const list = e.args[1];
  const collated = info.internal ? collatedFunction(info.prosrc, e.inputcollid) : null;
  const key = collated === null && info.internal && info.strict ? hashedKey(e, info.prosrc) : null;
  if (key !== null && list.kind === 'Const' && list.constvalue !== null && list.slot === undefined) {
    // x = ANY (constant list), x <> ALL (it): one look-up.
    const { values } = list.constvalue as ArrayValue;
    if (values.length === 0) return { code: e.useOr ? 'false' : 'true', nullable: false };
    const set = g.konst(new Set(values.filter((v) => v !== null).map(key)));
    const hasNull = values.includes(null), has = `${set}.has(${key === sameKey ? scalar.code : `${g.konst(key)}(${scalar.code})`})`;
    const code = e.useOr ? hasNull ? `(${has} || null)` : has : hasNull ? `(${has} ? false : null)` : `!${has}`;
    return scalar.nullable ? { code: `(${scalar.code} === null ? null : ${code})`, nullable: true } : { code, nullable: hasNull };
  }
  const array = genAtom(g, list, cx);
  if (array.code === 'null') return NULL;
  const fn = g.konst(collated ?? callable(info, e.args.map(exprType), 16, e.inputcollid));
  // A list that is the same for all rows is looked up, too, once that has shown.
  if (key !== null && list.kind !== 'ArrayExpr') return { code: g.local(`${g.state(`${g.konst(runtime.listSearch)}(${fn}, ${g.konst(key)}, ${e.useOr})`)}(${scalar.code}, ${array.code})`), nullable: true };
  const search = g.konst(info.strict ? runtime.arrayOpStrict : runtime.arrayOp);
  return { code: g.local(`${search}(${fn}, ${scalar.code}, ${array.code}, ${e.useOr})`), nullable: true };
}

const isOidLike = (type: Oid): boolean => type === 26 || type === 24 || (type >= 2202 && type <= 2206) || type === 4089 || type === 4096 || type === 3734 || type === 3769 || type === 4191;

/** Equality that is `===` on datums. */
function inlinedEquality(prosrc: string): boolean {
  return /^(?:int[248]+|oid|bool|char|date_|time_|timestamp_|timestamptz_|uuid_|enum_|text|name)eq$/.test(prosrc);
}

/** By what a list is looked up, of `x = ANY (list)` and `x <> ALL (list)`; null: it has to be gone through. */
function hashedKey({ opno, useOr, inputcollid }: ScalarArrayOpExpr, prosrc: string): ((value: any) => Datum) | null {
  if (inlinedEquality(useOr ? prosrc : prosrc.replace(/ne$/, 'eq')) && prosrc.endsWith(useOr ? 'eq' : 'ne')) return sameKey;
  const given = operatorByOid(opno), equality = useOr || !given?.oprnegate ? given : operatorByOid(given.oprnegate);
  if (equality === undefined || equality.oid >= FirstNormalObjectId || !equality.oprcanhash || equality.oprleft !== equality.oprright || (equality === given) !== useOr) return null;
  const type = equality.oprleft;
  return typeInfo(type).typtype === 'p' ? null : isPrimitiveKey(type, inputcollid) ? sameKey : hashKeyFunction(type, inputcollid);
}
const sameKey = (value: Datum): Datum => value;

/** Whether the value can be NULL, without generating anything. */
export function isNullable(e: Expr, cx: ExprContext): boolean {
  const known = cx.known?.get(e);
  if (known !== undefined) return known.nullable;
  switch (e.kind) {
    case 'Var': return cx.var(e).nullable;
    case 'Const': return e.constvalue === null;
    case 'NullTest': case 'BooleanTest': case 'DistinctExpr': case 'ArrayExpr': case 'RowExpr': case 'NextValueExpr': return false;
    case 'RelabelType': case 'CollateExpr': case 'CoerceViaIO': return isNullable(e.arg, cx);
    case 'FuncExpr': case 'OpExpr': {
      const info = calledFunction(e.kind === 'FuncExpr' ? e.funcid : e.opfuncid);
      return !(info.internal && info.strict && (inliners.has(info.prosrc) || neverReturnsNull(info.prosrc)) && !e.args.some((a) => isNullable(a, cx)));
    }
    case 'BoolExpr': return e.args.some((a) => isNullable(a, cx));
    case 'CoalesceExpr': return e.args.every((a) => isNullable(a, cx));
    default: return true;
  }
}
