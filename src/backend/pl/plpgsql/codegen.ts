// A function's body as JavaScript: its variables are JavaScript's, its control flow is JavaScript's, and what must be looked at
// while running (SQL, records whose shape nobody knows yet, expressions that are not simple) is asked of the Estate.
//
// Expressions in loops are analyzed at once and their text put in place, when they are simple and rest on built-in types and
// functions alone; all others are analyzed when they are first run, as PostgreSQL does. A function that is called often is
// generated again with all its expressions in place.
//
// A loop over rows is a function that gets each row; leaving it from inside goes by Generator's jumps, so every variable is
// one of the whole execution (`state`).
import { internalError, PgError } from '../../../common/errors.ts';
import { Generator, instantiate, type Value } from '../../executor/codegen.ts';
import { genExpr, genTest } from '../../executor/expr_codegen.ts';
import { assignSubscript } from '../../executor/expr_runtime.ts';
import { functionInfo } from '../../executor/fmgr_info.ts';
import { someExpr } from '../../executor/plan_walker.ts';
import { exprType, exprTypmod } from '../../nodes/nodeFuncs.ts';
import type { Expr } from '../../nodes/primnodes.ts';
import { ArrayValue, RecordValue, type Datum, type Oid, type RecordAttribute } from '../../types/datum.ts';
import { BOOLOID, INT4OID, RECORDOID, TEXTOID, UNKNOWNOID, VOIDOID } from '../../types/oids.ts';
import { getType } from '../../catalog/lsyscache.ts';
import { getBool } from '../../utils/guc.ts';
import { checkForInterrupts } from '../../utils/interrupts.ts';
import { RetryStatement } from '../../transaction/xact.ts';
import { call, doBlock } from './calls.ts';
import { castValue, needsCast } from './casts.ts';
import * as cursors from './cursors.ts';
import type { Estate } from './estate.ts';
import * as sql from './exec_sql.ts';
import { analyzeExpression, Binding, finishExpression, Site, type Wanted } from './expression.ts';
import type { PlFunction } from './function.ts';
import * as messages from './messages.ts';
import type {
  AssignStmt, BlockStmt, CaseStmt, ForCursorStmt, ForDynStmt, ForeachStmt, ForIntStmt, ForQueryStmt, IfStmt, PlDatum, PlExpr, PlRec, PlRow, PlVar, PlVariable, Stmt,
} from './nodes.ts';
import { assignRecord, findField, isConstant, nullNotAllowed, setField } from './records.ts';
import * as results from './results.ts';
import { commitInProcedure, rollbackInProcedure } from './transactions.ts';
import { foreachElements } from './foreach.ts';

type Holder = PlVar | PlRec;

/** FIRST_BUILTIN..: what cannot change under a function that is running. */
const FIRST_NORMAL_OID = 16384;

interface LoopLabel { label: string | null; isLoop: boolean; exit: string; next: string }

class BodyCompiler {
  readonly g = new Generator();
  readonly fn: PlFunction;
  private readonly names = new Map<Holder, string>();
  private readonly labels: LoopLabel[] = [];
  private readonly everything: boolean;
  private inLoop = 0;
  private returnLabel = '';
  private resultType: string | null = null;
  private resultTypmod: string | null = null;
  private result = '';

  constructor(fn: PlFunction, everything: boolean) {
    this.fn = fn;
    this.everything = everything;
  }

  compile(): (estate: Estate) => Datum {
    const { g, fn } = this;
    for (const d of fn.datums) if (d.kind === 'var' || d.kind === 'rec') this.names.set(d, g.state('null', 'd'));
    // void is a value, and no NULL.
    this.result = g.state(fn.rettype === VOIDOID ? "''" : 'null', 'r');
    fn.args.forEach((a, i) => {
      const name = this.nameOf(a);
      g.emit(`${name} = rt.args[${i}] ?? null;`);
    });
    this.initialValues();
    g.labelled((label) => {
      this.returnLabel = label;
      this.block(fn.body);
      g.emit('rt.s = -1;');
      this.fallOff();
    });
    const { resultType } = this;
    if (resultType === null) g.emit(`return ${this.result};`);
    else g.emit(`return ${resultType} === 0 ? ${this.result} : ${g.konst(results.returnScalar)}(rt, ${this.result}, ${resultType}, ${this.resultTypmod});`);
    return instantiate(g.text(), g.constants);
  }

  /** FOUND, and what a trigger function finds in its variables. */
  private initialValues(): void {
    const { g, fn } = this;
    g.emit(`${this.nameOf(fn.found)} = false;`);
    for (const [name, variable] of Object.entries(fn.eventValues)) g.emit(`${this.nameOf(variable)} = rt.triggerValues[${g.konst(name)}];`);
    if (fn.trigger === null) return;
    g.emit(`${this.nameOf(fn.trigger.newRec)} = rt.newRow; ${this.nameOf(fn.trigger.oldRec)} = rt.oldRow;`);
    for (const [name, variable] of Object.entries(fn.trigger.values)) g.emit(`${this.nameOf(variable)} = rt.triggerValues[${g.konst(name)}];`);
  }

  /** The end is reached without RETURN. */
  private fallOff(): void {
    const { g, fn } = this;
    if (fn.trigger === null && !fn.eventTrigger && (fn.retset || fn.rettype === VOIDOID || fn.outParam !== null)) {
      if (!fn.retset && fn.outParam !== null) this.returnVariable(fn.outParam);
      return;
    }
    if (fn.eventTrigger) return;
    g.emit(`throw ${g.konst(noReturn)}(${fn.trigger !== null});`);
  }

  // An array that this function made by assigning an element is its own to change, until anybody else may have hold of it.
  private readonly owned = new Map<Holder, string>();

  /** The variable that tells whether the array in that variable is nobody else's; null: it holds no arrays. */
  private ownership(holder: Holder): string | null {
    if (holder.kind !== 'var' || !holder.type.isArray) return null;
    let name = this.owned.get(holder);
    if (name === undefined) this.owned.set(holder, (name = this.g.state('false', 'o')));
    return name;
  }

  /** From here on somebody else may have what is in the variable. */
  private shared(holder: Holder): void {
    const own = this.ownership(holder);
    if (own !== null) this.g.emit(`${own} = false;`);
  }

  private set(holder: Holder, code: string): void {
    this.g.emit(`${this.nameOf(holder)} = ${code};`);
    this.shared(holder);
  }

  private nameOf(holder: Holder): string {
    const name = this.names.get(holder);
    if (name === undefined) throw internalError(`variable ${holder.name} is not known`);
    return name;
  }

  // ---- expressions

  private site(expr: PlExpr, wanted: Wanted | null): Site {
    return new Site(this.fn, expr, wanted);
  }

  private values(site: Site): string {
    for (const r of site.refs) this.shared(r);
    return `[${site.refs.map((r) => this.nameOf(r)).join(', ')}]`;
  }

  /** The expression's text in place; null: it must be looked at when it runs. */
  private inlined(site: Site): Expr | null {
    if (!this.everything && this.inLoop === 0) return null;
    try {
      const binding = new Binding(site.refs, null);
      const { expr } = analyzeExpression(site, binding);
      // What a function in SQL does may be put in place of its call, and change.
      if (expr === null || !restsOnBuiltins(expr)) return null;
      const { target } = site.expr;
      const wanted = target === null ? site.wanted : this.targetType(target.datum);
      if (target !== null && wanted === null) return null;
      const node = finishExpression(expr, wanted);
      if (!restsOnBuiltins(node)) return null;
      this.bindings.set(site, binding);
      return node;
    } catch (error) {
      // Whatever is wrong with it is told when it runs.
      if (error instanceof RetryStatement) throw error;
      return null;
    }
  }
  private readonly bindings = new Map<Site, Binding>();

  /** The type an assignment makes; null: a record, or nobody knows yet. */
  private targetType(datum: PlDatum): Wanted | null {
    if (datum.kind === 'var') return { type: datum.type.oid, typmod: datum.type.typmod };
    if (datum.kind === 'recfield' && datum.rec.type.oid !== RECORDOID) {
      const { attribute } = findField(datum.rec, null, datum.field);
      return { type: attribute.typeOid, typmod: attribute.typmod };
    }
    return null;
  }

  private context(site: Site, node: Expr): Parameters<typeof genExpr>[2] {
    const binding = this.bindings.get(site)!;
    const harmless = onlyLookedInto(node);
    return {
      var: () => { throw internalError('a column in an expression'); },
      externParam: (p): Value => {
        const { ref, field } = binding.slots[p.paramid - 1]!;
        const name = this.nameOf(site.refs[ref]!);
        if (!harmless.has(p)) this.shared(site.refs[ref]!);
        return { code: field < 0 ? name : this.g.local(`${name} === null ? null : ${name}.values[${field}] ?? null`), nullable: true };
      },
    };
  }

  /** The value of an expression as a name or literal. */
  private value(expr: PlExpr, wanted: Wanted | null): Value & { type: Oid | null; typmod: number } {
    const { g } = this;
    const site = this.site(expr, wanted);
    const node = this.inlined(site);
    if (node !== null) return { ...g.atomic(genExpr(g, node, this.context(site, node))), type: exprType(node), typmod: exprTypmod(node) };
    return { code: g.local(`rt.eval(${g.konst(site)}, ${this.values(site)})`), nullable: true, type: wanted?.type ?? null, typmod: wanted?.typmod ?? -1 };
  }

  /** Text that is true when the condition is. */
  private test(expr: PlExpr): string {
    const { g } = this;
    const site = this.site(expr, { type: BOOLOID, typmod: -1 });
    const node = this.inlined(site);
    if (node !== null) return genTest(g, node, this.context(site, node));
    return `rt.eval(${g.konst(site)}, ${this.values(site)}) === true`;
  }

  /** A value together with its type, for what takes any: `{value, type, typmod}`. */
  private typed(expr: PlExpr): string {
    return this.typedSite(this.site(expr, null));
  }

  private typedSite(site: Site): string {
    return `${this.g.konst(results.evalTyped)}(rt, ${this.g.konst(site)}, ${this.values(site)})`;
  }

  // ---- variables

  private setFound(code: string): void {
    this.g.emit(`${this.nameOf(this.fn.found)} = ${code};`);
  }

  /** Assigns a value that is of the variable's type. */
  private store(variable: PlVar, value: Value): void {
    const { g } = this;
    if (variable.notNull && value.nullable) {
      const v = g.atomic(value);
      g.emit(`if (${v.code} === null) throw ${g.konst(nullNotAllowed)}(${g.konst(variable.name)});`);
      this.set(variable, v.code);
    } else this.set(variable, value.code);
  }

  /** Assigns a value of a type known only now (or statically given) to anything (exec_assign_value). */
  private assignTyped(target: PlDatum, value: string, type: string, typmod: string): void {
    const { g } = this;
    switch (target.kind) {
      case 'var':
        this.store(target, { code: g.local(`${g.konst(castValue)}(${value}, ${type}, ${typmod}, ${target.type.oid}, ${target.type.typmod})`), nullable: true });
        break;
      case 'rec':
        g.emit(`${this.nameOf(target)} = ${g.konst(assignRecord)}(${g.konst(target)}, ${value}, ${type});`);
        break;
      case 'recfield': {
        const rec = this.nameOf(target.rec);
        g.emit(`${rec} = ${g.konst(assignField)}(${g.konst(target)}, ${rec}, ${value}, ${type}, ${typmod});`);
        break;
      }
      case 'row': {
        g.block(`if (${value} === null)`, () => { for (const f of target.fields) this.assignTyped(f, 'null', String(UNKNOWNOID), '-1'); });
        const row = g.next('q');
        g.block('else', () => {
          g.emit(`const ${row} = ${g.konst(asRow)}(${value});`);
          target.fields.forEach((f, i) => this.assignTyped(f, `(${row}.values[${i}] ?? null)`, `(${row}.attributes[${i}]?.typeOid ?? ${UNKNOWNOID})`, `(${row}.attributes[${i}]?.typmod ?? -1)`));
        });
      }
    }
  }

  /** Assigns what a mover (exec_sql.ts) made: a record, or values in order. */
  private assignMoved(target: PlVariable, moved: string): void {
    const { g } = this;
    if (target.kind === 'rec') {
      g.emit(`${this.nameOf(target)} = ${moved};`);
      return;
    }
    const fields = target.kind === 'row' ? target.fields : [target];
    fields.forEach((f, i) => {
      if (f.kind === 'recfield') g.emit(`${this.nameOf(f.rec)} = ${g.konst(setField)}(${g.konst(f)}, ${this.nameOf(f.rec)}, ${moved}[${i}]);`);
      else this.set(f as Holder, `${moved}[${i}]`);
    });
  }

  /** The records whose fields are targets, for the types of these. */
  private recordsOf(target: PlVariable | null): string {
    if (target === null || target.kind !== 'row' || !target.fields.some((f) => f.kind === 'recfield')) return '[]';
    return `[${target.fields.map((f) => (f.kind === 'recfield' ? this.nameOf(f.rec) : 'null')).join(', ')}]`;
  }

  // ---- statements

  private at(s: Stmt): void {
    this.g.emit(`rt.s = ${this.number(s)};`);
  }

  private number(s: Stmt): number {
    const known = this.fn.statements.indexOf(s);
    return known >= 0 ? known : this.fn.statements.push(s) - 1;
  }

  private list(list: readonly Stmt[]): void {
    for (const s of list) {
      this.at(s);
      (this[s.kind] as (s: Stmt) => void)(s);
    }
  }

  private block(s: BlockStmt): void {
    const { g } = this;
    this.at(s);
    this.initialize(s);
    const body = (): void => {
      if (s.exceptions === null) this.list(s.body);
      else this.guarded(s);
    };
    if (s.label === null) return body();
    g.labelled((exit) => {
      this.labels.push({ label: s.label, isLoop: false, exit, next: '' });
      body();
      this.labels.pop();
    });
  }

  private initialize(s: BlockStmt): void {
    const { g } = this;
    if (s.variables.length === 0) return;
    g.emit('rt.phase = "during statement block local variable initialization";');
    for (const v of s.variables) {
      if (v.kind !== 'var' && v.kind !== 'rec') continue;
      g.emit(`rt.variableLine = ${v.line};`);
      this.initializeVariable(v);
    }
    g.emit('rt.phase = null; rt.variableLine = 0;');
  }

  private initializeVariable(v: Holder): void {
    const { g } = this;
    if (v.defaultValue !== null) {
      if (v.kind === 'var') this.store(v, this.value(v.defaultValue, { type: v.type.oid, typmod: v.type.typmod }));
      else this.assignRecordFrom(v, v.defaultValue);
      return;
    }
    if (v.kind === 'var' && v.cursorQuery !== null) g.emit(`${this.nameOf(v)} = ${g.konst(v.name)};`);
    else if (v.type.oid >= FIRST_NORMAL_OID && getType(v.type.oid).typtype === 'd') this.assignTyped(v, 'null', String(UNKNOWNOID), '-1');
    else this.set(v, 'null');
  }

  private assignRecordFrom(rec: PlRec, expr: PlExpr): void {
    const t = this.g.local(this.typed(expr));
    this.assignTyped(rec, `${t}.value`, `${t}.type`, '-1');
  }

  /** A block with EXCEPTION: a subtransaction. */
  private guarded(s: BlockStmt): void {
    const { g } = this;
    const { sqlstateVar, sqlerrmVar, handlers } = s.exceptions!;
    const sub = g.local('rt.enter()');
    g.block('try', () => this.list(s.body), '');
    const error = g.next('e');
    g.block(`} catch (thrown)`, () => {
      g.emit(`const ${error} = rt.caught(thrown), outer = rt.error; rt.s = ${this.number(s)};`);
      g.emit(`${this.nameOf(sqlstateVar)} = ${error}.code; ${this.nameOf(sqlerrmVar)} = ${error}.message;`);
      g.emit(`rt.error = ${error};`);
      g.block('try', () => {
        handlers.forEach((h, i) => {
          g.block(`${i > 0 ? 'else ' : ''}if (rt.matches(${error}, ${g.konst(h.conditions)}))`, () => this.list(h.body));
        });
        g.emit(`else throw ${error};`);
      }, '} finally { rt.error = outer; }');
    }, `} finally { rt.leave(${sub}); }`);
  }

  private assign(s: AssignStmt): void {
    const { g } = this;
    const { target, expr } = s;
    const site = this.site(expr, null);
    const node = target.kind === 'var' || target.kind === 'recfield' ? this.inlined(site) : null;
    if (node !== null && target.kind === 'var' && this.assignElement(target, site, node)) return;
    if (target.kind === 'var') {
      this.store(target, node !== null ? g.atomic(genExpr(g, node, this.context(site, node))) : { code: `rt.eval(${g.konst(site)}, ${this.values(site)})`, nullable: true });
    } else if (target.kind === 'recfield') {
      const rec = this.nameOf(target.rec);
      const value = node !== null ? genExpr(g, node, this.context(site, node)).code : g.local(`rt.eval(${g.konst(site)}, ${this.values(site)})`);
      g.emit(`${rec} = ${g.konst(setField)}(${g.konst(target)}, ${rec}, ${value});`);
    } else if (target.kind === 'rec') {
      const t = g.local(this.typedSite(site));
      this.assignTyped(target, `${t}.value`, `${t}.type`, '-1');
    } else throw internalError('assignment to a row');
  }

  /** `a[i] := x` in place, where that is what it is. */
  private assignElement(target: PlVar, site: Site, node: Expr): boolean {
    const { g } = this;
    if (node.kind !== 'SubscriptingRef' || node.refassgnexpr === null || node.refexpr.kind !== 'Param' || node.refcontainertype !== target.type.oid) return false;
    const { ref, field } = this.bindings.get(site)!.slots[node.refexpr.paramid - 1]!;
    const [index] = node.refupperindexpr;
    if (site.refs[ref] !== target || field >= 0 || node.refupperindexpr.length !== 1 || node.reflowerindexpr.length > 0 || index === undefined || index === null) return false;
    const own = this.ownership(target);
    if (own === null || target.notNull || someExpr(node.refassgnexpr, (n) => n.kind === 'CaseTestExpr')) return false;
    const place = g.atomic(genExpr(g, index, this.context(site, index)));
    const value = g.atomic(genExpr(g, node.refassgnexpr, this.context(site, node.refassgnexpr)));
    const name = this.nameOf(target);
    g.emit(`${name} = ${g.konst(setElement)}(${name}, ${place.code}, ${value.code}, ${node.refelemtype}, ${own}); ${own} = true;`);
    return true;
  }

  private if(s: IfStmt): void {
    this.arms(s, (cond) => this.test(cond));
  }

  private arms(s: IfStmt | CaseStmt, test: (cond: PlExpr) => string): void {
    const { g } = this;
    g.labelled((end) => {
      for (const arm of s.arms) {
        g.block(`if (${test(arm.cond)})`, () => {
          this.list(arm.body);
          g.jump(end);
        });
      }
      if (s.otherwise !== null) this.list(s.otherwise);
      else if (s.kind === 'case') g.emit(`throw ${g.konst(caseNotFound)}();`);
    });
  }

  private case(s: CaseStmt): void {
    const { g } = this;
    if (s.test === null || s.testVar === null) return this.arms(s, (cond) => this.test(cond));
    const site = this.site(s.test, null);
    const type = g.local(this.typedSite(site));
    // The hidden variable is of whatever type the value has; its tests are made for that.
    g.emit(`${g.konst(setCaseType)}(${g.konst(s.testVar)}, ${type}); ${this.nameOf(s.testVar)} = ${type}.value;`);
    const inLoop = this.inLoop;
    this.arms(s, (cond) => {
      const test = this.site(cond, { type: BOOLOID, typmod: -1 });
      return `${g.konst(caseTest)}(rt, ${g.konst(test)}, ${this.values(test)}, ${g.konst(s.testVar)}) === true`;
    });
    this.inLoop = inLoop;
  }

  // ---- loops

  private interrupts(): void {
    this.g.emit(`${this.g.konst(checkForInterrupts)}();`);
  }

  /** `head { body }` with the labels that EXIT and CONTINUE go to. */
  private looping(label: string | null, head: string, start: () => void, body: readonly Stmt[], end: () => void = () => {}): void {
    const { g } = this;
    this.inLoop++;
    g.labelled((exit) => {
      g.block(head, () => {
        start();
        this.interrupts();
        this.loopBody(label, exit, body);
        end();
      });
    });
    this.inLoop--;
  }

  private loopBody(label: string | null, exit: string, body: readonly Stmt[]): void {
    const { g } = this;
    g.labelled((next) => {
      this.labels.push({ label, isLoop: true, exit, next });
      this.list(body);
      this.labels.pop();
    });
  }

  private loop(s: Extract<Stmt, { kind: 'loop' }>): void {
    this.looping(s.label, 'for (;;)', () => {}, s.body);
  }

  private while(s: Extract<Stmt, { kind: 'while' }>): void {
    const { g } = this;
    this.inLoop++;
    g.labelled((exit) => {
      g.block('for (;;)', () => {
        this.at(s);
        g.emit(`if (!(${this.test(s.cond)})) ${g.jumpCode(exit)}`);
        this.interrupts();
        this.loopBody(s.label, exit, s.body);
      });
    });
    this.inLoop--;
  }

  private fori(s: ForIntStmt): void {
    const { g } = this;
    const int = { type: INT4OID, typmod: -1 };
    const bound = (expr: PlExpr, what: string): string => {
      const value = this.value(expr, int);
      if (value.nullable) g.emit(`if (${value.code} === null) throw ${g.konst(nullBound)}(${g.konst(what)});`);
      return value.code;
    };
    const lower = g.local(bound(s.lower, 'lower bound of FOR loop'), true);
    const upper = bound(s.upper, 'upper bound of FOR loop');
    const step = s.step === null ? '1' : bound(s.step, 'BY value of FOR loop');
    if (s.step !== null) g.emit(`if (${step} <= 0) throw ${g.konst(badStep)}();`);
    const found = g.state('false', 'f');
    g.emit(`${found} = false;`);
    const [compare, add] = s.reverse ? ['>=', '-'] : ['<=', '+'];
    // Beyond the range of int4 a number is beyond any bound.
    const target = this.fn.datums[s.variable.dno] as PlVar;
    this.looping(s.label, `for (; ${lower} ${compare} ${upper}; ${lower} = ${lower} ${add} ${step})`, () => {
      g.emit(`${found} = true; ${this.nameOf(target)} = ${lower};`);
    }, s.body);
    this.setFound(found);
  }

  /** A loop over rows: `call` is the text that runs it, given the function that takes a row. */
  private overRows(s: { label: string | null; body: Stmt[] }, target: PlVariable, call: (body: string) => string): void {
    const { g } = this;
    this.inLoop++;
    g.labelled((exit) => {
      const found = g.state('false', 'f');
      g.emit(`${found} = false;`);
      const fn = g.fn(['row'], () => {
        g.emit(`${found} = true;`);
        this.interrupts();
        this.assignMoved(target, 'row');
        this.loopBody(s.label, exit, s.body);
      });
      const result = g.local(call(fn.name));
      g.block(`if (${result}.empty !== null)`, () => this.assignMoved(target, `${result}.empty`));
      this.setFound(found);
      g.callThrough(fn, `${result}.finished`);
    });
    this.inLoop--;
  }

  private fors(s: ForQueryStmt): void {
    const { g } = this;
    const site = this.site(s.query, null);
    this.overRows(s, s.target, (body) => `${g.konst(sql.loopQuery)}(rt, ${g.konst(site)}, ${this.values(site)}, ${g.konst(s.target)}, ${body}, ${this.recordsOf(s.target)})`);
  }

  private dynfors(s: ForDynStmt): void {
    const { g } = this;
    const text = this.dynamicText(s.query);
    const { values, types } = this.using(s.params);
    this.overRows(s, s.target, (body) => `${g.konst(sql.loopDynamic)}(rt, ${text}, ${values}, ${types}, ${g.konst(s.target)}, ${body}, ${this.recordsOf(s.target)})`);
  }

  private forc(s: ForCursorStmt): void {
    const { g } = this;
    const name = this.openBound(s.cursor, s.args, s.cursor.cursorOptions);
    const cursor = this.nameOf(s.cursor);
    const wasNull = g.local(`${cursor} === null`);
    g.emit(`if (${wasNull}) ${cursor} = ${name};`);
    this.overRows(s, s.target, (body) => `${g.konst(cursors.loopCursor)}(rt, ${name}, ${g.konst(s.target)}, ${body})`);
    g.emit(`if (${wasNull}) ${cursor} = null;`);
  }

  private foreach(s: ForeachStmt): void {
    const { g } = this;
    const array = g.local(this.typed(s.array));
    const items = g.local(`${g.konst(foreachElements)}(${array}.value, ${array}.type, ${s.slice}, ${g.konst(s.target)})`);
    const found = g.state('false', 'f');
    g.emit(`${found} = false;`);
    const item = g.next('i');
    this.looping(s.label, `for (const ${item} of ${items}.values)`, () => {
      g.emit(`${found} = true;`);
      this.at(s);
      this.assignTyped(s.target, item, `${items}.type`, `${items}.typmod`);
    }, s.body);
    this.setFound(found);
  }

  private exit(s: Extract<Stmt, { kind: 'exit' }>): void {
    const { g } = this;
    const target = this.labels.findLast((l) => (s.label === null ? l.isLoop : l.label === s.label));
    if (target === undefined) {
      // The label of the function itself.
      if (s.label !== null && s.isExit) return this.conditionally(s.cond, () => { g.emit('rt.s = -1;'); this.fallOff(); g.jump(this.returnLabel); });
      throw internalError(`no label ${s.label ?? ''}`);
    }
    this.conditionally(s.cond, () => g.jump(s.isExit ? target.exit : target.next));
  }

  private conditionally(cond: PlExpr | null, work: () => void): void {
    if (cond === null) work();
    else this.g.block(`if (${this.test(cond)})`, work);
  }

  // ---- results

  private return(s: Extract<Stmt, { kind: 'return' }>): void {
    const { g, fn } = this;
    if (!fn.retset && fn.rettype !== VOIDOID && !fn.eventTrigger) {
      if (s.variable !== null) this.returnVariable(s.variable);
      else if (s.expr !== null) this.returnExpression(s.expr);
    }
    g.jump(this.returnLabel);
  }

  private returnExpression(expr: PlExpr): void {
    const { g, fn } = this;
    if (fn.trigger !== null || fn.returnsRows) {
      const t = g.local(this.typed(expr));
      g.emit(`${this.result} = ${g.konst(results.returnRow)}(rt, ${t}.value, ${t}.type);`);
      return;
    }
    const site = this.site(expr, null);
    const node = this.inlined(site);
    if (node !== null) {
      this.returnScalar(g.atomic(genExpr(g, node, this.context(site, node))).code, exprType(node), exprTypmod(node));
      return;
    }
    const t = g.local(this.typedSite(site));
    this.setResult(`${t}.value`, `${t}.type`, `${t}.typmod`);
  }

  private returnScalar(code: string, type: Oid, typmod: number): void {
    const { g, fn } = this;
    if (needsCast(type, typmod, fn.rettype, -1)) this.setResult(code, String(type), String(typmod));
    else g.emit(`${this.result} = ${code};${this.resultType === null ? '' : ` ${this.resultType} = 0;`}`);
  }

  /** A result that is yet to be cast: where the function ends, beyond what its blocks may handle. */
  private setResult(code: string, type: string, typmod: string): void {
    const { g } = this;
    this.resultType ??= g.state('0', 't');
    this.resultTypmod ??= g.state('0', 't');
    g.emit(`${this.result} = ${code}; ${this.resultType} = ${type}; ${this.resultTypmod} = ${typmod};`);
  }

  private returnVariable(v: PlDatum): void {
    const { g, fn } = this;
    if (v.kind === 'var') this.shared(v);
    switch (v.kind) {
      case 'var':
        if (fn.trigger !== null || fn.returnsRows) g.emit(`${this.result} = ${g.konst(results.returnRow)}(rt, ${this.nameOf(v)}, ${v.type.oid});`);
        else this.returnScalar(this.nameOf(v), v.type.oid, v.type.typmod);
        break;
      case 'rec':
        if (fn.trigger !== null || fn.returnsRows) g.emit(`${this.result} = ${g.konst(results.returnRow)}(rt, ${this.nameOf(v)}, ${v.type.oid});`);
        else this.setResult(this.nameOf(v), String(v.type.oid), '-1');
        break;
      case 'row': g.emit(`${this.result} = ${g.konst(results.returnRow)}(rt, ${this.rowValue(v)}, ${RECORDOID});`); break;
      case 'recfield': throw internalError('a field as result');
    }
  }

  /** A row variable as a row (make_tuple_from_row). */
  private rowValue(row: PlRow): string {
    const { g } = this;
    for (const f of row.fields) this.shared(f as Holder);
    const attributes: RecordAttribute[] = row.fields.map((f, i) => {
      const { type } = f as Holder;
      return { name: row.fieldNames[i]!, typeOid: type.oid, typmod: type.typmod, collation: type.collation, dropped: false };
    });
    return `new ${g.konst(RecordValue)}(${RECORDOID}, ${g.konst(attributes)}, [${row.fields.map((f) => this.nameOf(f as Holder)).join(', ')}])`;
  }

  private return_next(s: Extract<Stmt, { kind: 'return_next' }>): void {
    const { g } = this;
    const next = g.konst(results.returnNext);
    if (s.variable === null) {
      const t = g.local(this.typed(s.expr!));
      g.emit(`${next}(rt, ${t}.value, ${t}.type, ${t}.typmod, false);`);
    } else if (s.variable.kind === 'row') g.emit(`${next}(rt, ${this.rowValue(s.variable)}, ${RECORDOID}, -1, true);`);
    else {
      const v = s.variable as Holder;
      this.shared(v);
      g.emit(`${next}(rt, ${this.nameOf(v)}, ${v.type.oid}, ${v.type.typmod}, true);`);
    }
  }

  private return_query(s: Extract<Stmt, { kind: 'return_query' }>): void {
    const { g } = this;
    if (s.query !== null) {
      const site = this.site(s.query, null);
      this.setFound(`${g.konst(results.returnStaticQuery)}(rt, ${g.konst(site)}, ${this.values(site)})`);
    } else {
      const text = this.dynamicText(s.dynamic!);
      const { values, types } = this.using(s.params);
      this.setFound(`${g.konst(results.returnDynamicQuery)}(rt, ${text}, ${values}, ${types})`);
    }
  }

  // ---- SQL

  private execsql(s: Extract<Stmt, { kind: 'execsql' }>): void {
    const { g } = this;
    const site = this.site(s.query, null);
    const spec: sql.IntoSpec = { target: s.into, strict: s.strict };
    const moved = g.local(`${g.konst(sql.execSql)}(rt, ${g.konst(site)}, ${this.values(site)}, ${g.konst(spec)}, ${this.recordsOf(s.into)})`);
    const found = `${g.konst(sql.execResult)}.found`;
    g.emit(`if (${found} !== null) ${this.nameOf(this.fn.found)} = ${found};`);
    if (s.into !== null) this.assignMoved(s.into, moved);
  }

  private perform(s: Extract<Stmt, { kind: 'perform' }>): void {
    const site = this.site(s.expr, null);
    this.setFound(`${this.g.konst(sql.perform)}(rt, ${this.g.konst(site)}, ${this.values(site)})`);
  }

  /** The text of EXECUTE. */
  private dynamicText(expr: PlExpr): string {
    const { g } = this;
    return g.local(`${g.konst(sql.dynamicText)}(${this.value(expr, { type: TEXTOID, typmod: -1 }).code})`);
  }

  /** USING: values and their types. */
  private using(params: readonly PlExpr[]): { values: string; types: string } {
    const { g } = this;
    const all = params.map((p) => g.local(this.typed(p)));
    return { values: `[${all.map((t) => `${t}.value`).join(', ')}]`, types: `[${all.map((t) => `${t}.paramType`).join(', ')}]` };
  }

  private dynexecute(s: Extract<Stmt, { kind: 'dynexecute' }>): void {
    const { g } = this;
    const text = this.dynamicText(s.query);
    const { values, types } = this.using(s.params);
    const spec: sql.IntoSpec = { target: s.into, strict: s.strict };
    const moved = g.local(`${g.konst(sql.execDynamic)}(rt, ${text}, ${values}, ${types}, ${g.konst(spec)}, ${this.recordsOf(s.into)})`);
    if (s.into !== null) this.assignMoved(s.into, moved);
  }

  private call(s: Extract<Stmt, { kind: 'call' }>): void {
    const { g } = this;
    const site = this.site(s.expr, null);
    if (!s.isCall) {
      g.emit(`${g.konst(doBlock)}(rt, ${g.konst(site)});`);
      return;
    }
    const changed = g.local(`${g.konst(call)}(rt, ${g.konst(site)}, ${this.values(site)})`);
    g.block(`if (${changed} !== null)`, () => {
      site.refs.forEach((r, i) => g.block(`if (${changed}[${i}] !== undefined)`, () => this.set(r, `${changed}[${i}]`)));
    });
  }

  // ---- messages

  /** An expression's value as text. */
  private text(e: PlExpr): string {
    const site = this.site(e, null);
    return `${this.g.konst(results.evalText)}(rt, ${this.g.konst(site)}, ${this.values(site)})`;
  }

  private raise(s: Extract<Stmt, { kind: 'raise' }>): void {
    const { g } = this;
    g.emit(`${g.konst(messages.raise)}(rt, ${g.konst(s)}, [${s.params.map((e) => this.text(e)).join(', ')}], [${s.options.map((o) => this.text(o.expr)).join(', ')}]);`);
  }

  private assert(s: Extract<Stmt, { kind: 'assert' }>): void {
    const { g } = this;
    g.block(`if (${g.konst(() => getBool('plpgsql.check_asserts'))}())`, () => {
      g.block(`if (!(${this.test(s.cond)}))`, () => {
        const message = s.message === null ? 'null' : this.text(s.message);
        g.emit(`${g.konst(messages.assertionFailed)}(${message});`);
      });
    });
  }

  private getdiag(s: Extract<Stmt, { kind: 'getdiag' }>): void {
    const { g } = this;
    if (s.stacked) g.emit(`${g.konst(messages.needHandler)}(rt);`);
    for (const { item, target } of s.items) {
      const type = item === 'row_count' ? 20 : TEXTOID;
      this.assignTyped(target, g.local(`${g.konst(messages.diagnostic)}(rt, ${g.konst(item)})`), String(type), '-1');
    }
  }

  // ---- cursors

  /** Opens a bound cursor, its arguments first; gives the name of the portal. */
  private openBound(cursor: PlVar, args: PlExpr | null, options: number): string {
    const { g } = this;
    g.emit(`${g.konst(cursors.requireClosed)}(${this.nameOf(cursor)});`);
    if (args !== null && cursor.cursorArgs !== null) {
      const site = this.site(args, null);
      const spec: sql.IntoSpec = { target: cursor.cursorArgs, strict: false };
      const moved = g.local(`${g.konst(sql.execSql)}(rt, ${g.konst(site)}, ${this.values(site)}, ${g.konst(spec)}, [])`);
      this.assignMoved(cursor.cursorArgs, moved);
      // They are a query of their own.
      this.setFound('true');
    }
    const query = this.site(cursor.cursorQuery!, null);
    return g.local(`${g.konst(cursors.openQuery)}(rt, ${g.konst(query)}, ${this.nameOf(cursor)}, ${this.values(query)}, ${options})`);
  }

  private open(s: Extract<Stmt, { kind: 'open' }>): void {
    const { g } = this;
    const cursor = this.nameOf(s.cursor);
    if (s.query !== null || s.dynamic !== null) g.emit(`${g.konst(cursors.requireClosed)}(${cursor});`);
    let name: string;
    if (s.query !== null) {
      const site = this.site(s.query, null);
      name = g.local(`${g.konst(cursors.openQuery)}(rt, ${g.konst(site)}, ${cursor}, ${this.values(site)}, ${s.options})`);
    } else if (s.dynamic !== null) {
      const text = this.dynamicText(s.dynamic);
      const { values, types } = this.using(s.params);
      name = g.local(`${g.konst(cursors.openDynamic)}(rt, ${text}, ${cursor}, ${values}, ${types}, ${s.options})`);
    } else name = this.openBound(s.cursor, s.args, s.options);
    g.emit(`if (${cursor} === null) {`);
    if (s.cursor.isConst) g.emit(`throw ${g.konst(isConstant)}(${g.konst(s.cursor.name)});`);
    this.store(s.cursor, { code: name, nullable: false });
    g.emit('}');
  }

  private fetch(s: Extract<Stmt, { kind: 'fetch' }>): void {
    const { g } = this;
    const count = s.expr === null ? String(s.howMany) : this.value(s.expr, { type: INT4OID, typmod: -1 }).code;
    const where = `rt, ${this.nameOf(s.cursor)}, ${g.konst(s.cursor.name)}, ${g.konst(s.direction)}, ${count}`;
    if (s.target === null) g.emit(`${g.konst(cursors.move)}(${where});`);
    else this.assignMoved(s.target, g.local(`${g.konst(cursors.fetchInto)}(${where}, ${g.konst(s.target)}, ${this.recordsOf(s.target)})`));
    this.setFound('rt.processed !== 0');
  }

  private close(s: Extract<Stmt, { kind: 'close' }>): void {
    this.g.emit(`${this.g.konst(cursors.close)}(${this.nameOf(s.cursor)}, ${this.g.konst(s.cursor.name)});`);
  }

  private commit(s: Extract<Stmt, { kind: 'commit' }>): void {
    this.g.emit(`${this.g.konst(commitInProcedure)}(rt, ${s.chain});`);
  }

  private rollback(s: Extract<Stmt, { kind: 'rollback' }>): void {
    this.g.emit(`${this.g.konst(rollbackInProcedure)}(rt, ${s.chain});`);
  }
}

export function compileBody(fn: PlFunction, everything: boolean): NonNullable<PlFunction['run']> {
  return new BodyCompiler(fn, everything).compile();
}

const ARRAY_FACTS = new Set([2176, 2092, 2091, 3179, 747]); // array_length, array_upper, array_lower, cardinality, array_dims

/** The arrays of an expression of which it takes an element or a fact, and no more. */
function onlyLookedInto(node: Expr): ReadonlySet<Expr> {
  const found = new Set<Expr>();
  someExpr(node, (n) => {
    if (n.kind === 'SubscriptingRef' && n.refassgnexpr === null && n.reflowerindexpr.length === 0 && n.refexpr.kind === 'Param' && n.refrestype === n.refelemtype) found.add(n.refexpr);
    if (n.kind === 'FuncExpr' && ARRAY_FACTS.has(n.funcid)) for (const a of n.args) if (a.kind === 'Param') found.add(a);
    return false;
  });
  return found;
}

/** Nothing in it can change under a running function, and nothing in it runs SQL. */
function restsOnBuiltins(node: Expr): boolean {
  return !someExpr(node, (n) => {
    switch (n.kind) {
      case 'FuncExpr': return notBuiltin(n.funcid);
      case 'OpExpr': case 'DistinctExpr': case 'NullIfExpr': case 'ScalarArrayOpExpr': return notBuiltin(n.opfuncid);
      case 'CoerceViaIO': return exprType(n.arg) >= FIRST_NORMAL_OID || n.resulttype >= FIRST_NORMAL_OID;
      case 'CoerceToDomain': case 'SubPlan': case 'SubLink': case 'RowExpr': case 'ConvertRowtypeExpr': case 'NextValueExpr': case 'FieldStore': return true;
      default: return false;
    }
  });
}

function notBuiltin(oid: Oid): boolean {
  if (oid >= FIRST_NORMAL_OID) return true;
  const info = functionInfo(oid);
  return !info.internal || info.builtin === undefined || info.builtin.kind === 'set';
}

// ---- what generated code calls

const noReturn = (trigger: boolean): PgError =>
  new PgError('function_executed_no_return_statement', `control reached end of ${trigger ? 'trigger procedure' : 'function'} without RETURN`);
const nullBound = (what: string): PgError => new PgError('null_value_not_allowed', `${what} cannot be null`);
const badStep = (): PgError => new PgError('invalid_parameter_value', 'BY value of FOR loop must be greater than zero');
const caseNotFound = (): PgError => new PgError('case_not_found', 'case not found', { hint: 'CASE statement is missing ELSE part.' });

function assignField(target: Extract<PlDatum, { kind: 'recfield' }>, record: RecordValue | null, value: Datum, type: Oid, typmod: number): RecordValue {
  const { attribute } = findField(target.rec, record, target.field);
  return setField(target, record, castValue(value, type, typmod, attribute.typeOid, attribute.typmod));
}

function asRow(value: Datum): RecordValue {
  if (!(value instanceof RecordValue)) throw new PgError('datatype_mismatch', 'cannot assign non-composite value to a row variable');
  return value;
}

/** The hidden variable of CASE takes the type of its value; unknown is text. */
function setCaseType(variable: PlVar, typed: results.Typed): void {
  const type = typed.type === UNKNOWNOID ? TEXTOID : typed.type;
  if (variable.type.oid === type && variable.type.typmod === typed.typmod) return;
  variable.type = { ...variable.type, oid: type, typmod: typed.typmod, collation: getType(type).typcollation };
  caseTypes.set(variable, (caseTypes.get(variable) ?? 0) + 1);
}
/** An array with another element; `own`: it may be changed itself. */
function setElement(array: ArrayValue | null, place: number | null, value: Datum, elementType: Oid, own: boolean): Datum {
  if (own && array !== null && place !== null && array.dims.length === 1) {
    const i = place - array.lbounds[0]!, values = array.values as Datum[];
    if (i >= 0 && i < values.length) {
      values[i] = value;
      return array;
    }
    if (i === values.length && i < MAX_APPENDED) {
      values.push(value);
      (array.dims as number[])[0] = i + 1;
      return array;
    }
  }
  const changed = assignSubscript(array, [place], null, value, elementType) as ArrayValue;
  // Its dimensions may be those of the old one.
  return new ArrayValue(changed.elementType, changed.dims.slice(), changed.lbounds, changed.values);
}
/** Beyond that PostgreSQL's limit of array sizes is looked at. */
const MAX_APPENDED = 100_000_000;

const caseTypes = new WeakMap<PlVar, number>();
const caseVersions = new WeakMap<Site, number>();

function caseTest(rt: Estate, site: Site, values: readonly Datum[], variable: PlVar): Datum {
  const version = caseTypes.get(variable) ?? 0;
  if (caseVersions.get(site) !== version) {
    site.prepared = null;
    caseVersions.set(site, version);
  }
  return rt.eval(site, values);
}
