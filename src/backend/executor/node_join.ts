// Joins. The outer side is pushed; the inner side is entered again for every outer row (NestLoop), or is in a hash
// table built before (HashJoin), or in a sorted list (MergeJoin).
//
// Inner rows of a hash join are kept column by column: `C[i]` are plain arrays, `next` chains the rows of one key,
// `head` holds the first row of each key by the number the group table gives the key.
import { exprType } from '../nodes/nodeFuncs.ts';
import type { HashJoin, MergeJoin, NestLoop, Plan } from '../nodes/plannodes.ts';
import type { Column, Generator } from './codegen.ts';
import { genExpr, genFilter, genTest } from './expr_codegen.ts';
import { JoinIntTable, JoinMapTable, JoinMultiTable } from './join_table.ts';
import { outputTypes } from './node_sort.ts';
import type { Consumer, PlanCompiler, Producer } from './plan_compiler.ts';
import { hashKeyFunction, isPrimitiveKey, typeComparator } from './sort_support.ts';

type Join = NestLoop | HashJoin | MergeJoin;

/** What is done with a pair: the qual and the projection, then the consumer. */
function emitPair(pc: PlanCompiler, plan: Join, outer: Column[], inner: Column[], consume: Consumer): void {
  const { g } = pc;
  g.labelled((label) => pc.filterAndProject(plan, pc.context({ outer, inner }), g.jumpCode(label), consume));
}

/** The same as a function of its own, for joins that pass on from two places. */
function outlinedPair(pc: PlanCompiler, plan: Join, consume: Consumer): (outer: Column[], inner: Column[]) => void {
  const left = outputTypes(plan.lefttree!);
  const right = outputTypes(plan.righttree!);
  const out = pc.outlineFor((columns) => emitPair(pc, plan, columns.slice(0, left.length), columns.slice(left.length), consume), [...left, ...right]);
  return (outer, inner) => out([...outer, ...inner]);
}

const nullColumns = (plan: Plan): Column[] => plan.targetlist.map((t) => ({ nullable: true, type: exprType(t.expr), read: () => 'null' }));

const nestLoop: Producer<NestLoop> = (pc, plan, consume) => {
  const { g } = pc;
  const { jointype } = plan;
  const pair = jointype === 'left' ? outlinedPair(pc, plan, consume) : null;
  pc.produce(plan.lefttree!, (outer) => {
    // The inner side may overwrite what the outer row is read from.
    for (const column of outer) g.column(column);
    const outerCx = pc.context({ outer });
    for (const { paramno, paramval } of plan.nestParams) g.emit(`${pc.param(paramno)} = ${genExpr(g, paramval, outerCx).code};`);
    // A state rather than a local variable: the inner consumer may be in a function of its own.
    const matched = jointype === 'inner' ? '' : g.state('false');
    if (matched !== '') g.emit(`${matched} = false;`);
    g.labelled((innerLoop) => {
      produceInner(pc, plan, outer, (outerHere, inner) => {
        g.labelled((label) => {
          genFilter(g, plan.joinqual, pc.context({ outer: outerHere, inner }), g.jumpCode(label));
          switch (jointype) {
            case 'inner':
              emitPair(pc, plan, outerHere, inner, consume);
              if (plan.inner_unique) g.jump(innerLoop);
              break;
            case 'left':
              g.emit(`${matched} = true;`);
              pair!(outerHere, inner);
              if (plan.inner_unique) g.jump(innerLoop);
              break;
            default: // semi, anti
              g.emit(`${matched} = true;`);
              g.jump(innerLoop);
          }
        });
      });
    });
    if (jointype === 'left') g.block(`if (!${matched})`, () => pair!(outer, nullColumns(plan.righttree!)));
    else if (jointype === 'semi') g.block(`if (${matched})`, () => emitPair(pc, plan, outer, nullColumns(plan.righttree!), consume));
    else if (jointype === 'anti') g.block(`if (!${matched})`, () => emitPair(pc, plan, outer, nullColumns(plan.righttree!), consume));
  });
};

/**
 * Runs the inner side. Its consumer may end up in a function of its own (below an Append, an outer join), where the
 * variables of the outer row are not in sight; then the outer columns go through variables of the execution.
 */
function produceInner(pc: PlanCompiler, plan: NestLoop, outer: Column[], body: (outer: Column[], inner: Column[]) => void): void {
  const { g } = pc;
  if (!pc.mayOutline(plan.righttree!)) {
    pc.produce(plan.righttree!, (inner) => body(outer, inner));
    return;
  }
  const saved = outer.map((column) => {
    const name = g.state('null');
    g.emit(`${name} = ${g.column(column).code};`);
    return { nullable: column.nullable, type: column.type, read: () => name } as Column;
  });
  pc.produce(plan.righttree!, (inner) => body(saved, inner));
}

const INT_KEYS = new Set([21, 23, 1082]);

/** The texts of the hash keys, and the test for a NULL among them (which equals nothing). */
function joinKey(g: Generator, exprs: readonly import('../nodes/primnodes.ts').Expr[], cx: ReturnType<PlanCompiler['context']>): { keys: string[]; nulls: string } {
  const nulls: string[] = [];
  const keys = exprs.map((e) => {
    const value = g.atomic(genExpr(g, e, cx));
    if (value.nullable) nulls.push(`${value.code} === null`);
    const type = exprType(e);
    if (isPrimitiveKey(type)) return value.code;
    return g.local(value.nullable ? `${value.code} === null ? null : ${g.konst(hashKeyFunction(type))}(${value.code})` : `${g.konst(hashKeyFunction(type))}(${value.code})`);
  });
  return { keys, nulls: nulls.join(' || ') };
}

const hashJoin: Producer<HashJoin> = (pc, plan, consume) => {
  const { g } = pc;
  const { jointype, hashkeys } = plan;
  const innerPlan = plan.righttree!;
  const keepsUnmatchedInner = jointype === 'right' || jointype === 'full';
  const int = hashkeys.length === 1 && INT_KEYS.has(exprType(hashkeys[0]!.inner)) && INT_KEYS.has(exprType(hashkeys[0]!.outer));
  const Table = hashkeys.length > 1 ? JoinMultiTable : int ? JoinIntTable : JoinMapTable;
  const makeTable = `new ${g.konst(Table)}(${hashkeys.length > 1 ? hashkeys.length : ''})`;
  const table = g.state('null', 't');
  const innerTypes = outputTypes(plan.righttree!);
  const arrays = new Map<number, string>();
  const arrayOf = (i: number): string => {
    let name = arrays.get(i);
    if (name === undefined) arrays.set(i, (name = g.state('null', 'C')));
    return name;
  };
  innerTypes.forEach((_t, i) => arrayOf(i));
  const matched = keepsUnmatchedInner ? g.state('null', 'm') : '';
  const build = (): void => {
    g.emit(`${table} = ${makeTable};`);
    for (const name of arrays.values()) g.emit(`${name} = [];`);
    const direct = !pc.mayOutline(innerPlan);
    const [T, l] = direct ? ['T', 'l'] : [table, ''];
    const fn = g.fn([], () => {
      if (direct) g.emit(`const T = ${table}${[...arrays.values()].map((a) => `, l${a} = ${a}`).join('')};`);
      pc.produce(innerPlan, (inner) => {
        g.labelled((label) => {
          const { keys, nulls } = joinKey(g, hashkeys.map((k) => k.inner), pc.context({ outer: inner, inner }));
          if (nulls !== '') g.emit(`if (${nulls}) ${keepsUnmatchedInner ? `{ ${T}.addUnmatchable(); } else {` : g.jumpCode(label)}`);
          if (hashkeys.length > 1) keys.forEach((k, i) => g.emit(`${T}.key[${i}] = ${k};`));
          g.emit(hashkeys.length > 1 ? `${T}.add();` : `${T}.add(${keys[0]});`);
          if (nulls !== '' && keepsUnmatchedInner) g.emit('}');
          for (const [i, name] of arrays) g.emit(`${l}${name}.push(${g.column(inner[i]!).code});`);
        });
      });
    });
    g.call(fn, []);
  };
  if (pc.dependsOnParams(innerPlan)) build();
  else g.block(`if (${table} === null)`, build);
  if (matched !== '') g.emit(`${matched} = new Uint8Array(${table}.count);`);
  const nullable = jointype === 'left' || jointype === 'full';
  const innerAt = (i: string): Column[] => innerTypes.map((t, c) => ({ nullable: true, type: t.type, read: () => `${arrayOf(c)}[${i}]` }));
  const twoPlaces = nullable || keepsUnmatchedInner;
  const pair = twoPlaces ? outlinedPair(pc, plan, consume) : null;
  const unmatchedOuter = nullColumns(plan.lefttree!);

  const skipEmpty = jointype === 'inner' || jointype === 'semi' || jointype === 'right';
  g.block(skipEmpty ? `if (${table}.count > 0)` : '', () => pc.produce(plan.lefttree!, (outer) => {
    g.labelled((label) => {
      const outerCx = pc.context({ outer });
      const { keys, nulls } = joinKey(g, hashkeys.map((k) => k.outer), outerCx);
      if (hashkeys.length > 1) keys.forEach((k, i) => g.emit(`${table}.key[${i}] = ${k};`));
      const find = hashkeys.length > 1 ? `${table}.first()` : `${table}.first(${keys[0]})`;
      const i = g.local(nulls === '' ? find : `${nulls} ? -1 : ${find}`, true);
      if (jointype === 'semi' || jointype === 'anti') {
        if (plan.joinqual.length > 0) {
          const cx = pc.context({ outer, inner: innerAt(i) });
          g.block(`for (; ${i} >= 0; ${i} = ${table}.next[${i}])`, () => {
            const tests = plan.joinqual.map((q) => `(${genTest(g, q, cx)})`);
            g.emit(`if (${tests.join(' && ')}) break;`);
          });
        }
        g.emit(`if (${i} ${jointype === 'semi' ? '<' : '>='} 0) ${g.jumpCode(label)}`);
        emitPair(pc, plan, outer, nullColumns(plan.righttree!), consume);
        return;
      }
      const found = nullable ? g.local('false', true) : '';
      g.block(`for (; ${i} >= 0; ${i} = ${table}.next[${i}])`, () => {
        g.labelled((next) => {
          const inner = innerAt(i);
          if (plan.joinqual.length > 0) genFilter(g, plan.joinqual, pc.context({ outer, inner }), g.jumpCode(next));
          if (found !== '') g.emit(`${found} = true;`);
          if (matched !== '') g.emit(`${matched}[${i}] = 1;`);
          if (pair !== null) pair(outer, inner);
          else emitPair(pc, plan, outer, inner, consume);
        });
        if (plan.inner_unique && plan.joinqual.length === 0) g.emit('break;');
      });
      if (nullable) g.block(`if (!${found})`, () => pair!(outer, nullColumns(plan.righttree!)));
    });
  }));
  if (keepsUnmatchedInner) {
    const i = g.next('i');
    g.block(`for (let ${i} = 0; ${i} < ${table}.count; ${i}++)`, () => {
      g.block(`if (${matched}[${i}] === 0)`, () => pair!(unmatchedOuter, innerAt(i)));
    });
  }
};

/** Both sides come sorted. The inner rows are kept, a pointer moves along as the outer keys grow. */
const mergeJoin: Producer<MergeJoin> = (pc, plan, consume) => {
  const { g } = pc;
  const { jointype, mergeKeys } = plan;
  const innerTypes = outputTypes(plan.righttree!);
  const rows = g.state('null', 'M');
  const keysOf = g.state('null', 'M');
  const build = (): void => {
    g.emit(`${rows} = []; ${keysOf} = [];`);
    const fn = g.fn([], () => {
      pc.produce(plan.righttree!, (inner) => {
        const cx = pc.context({ outer: inner, inner });
        g.emit(`${keysOf}.push([${mergeKeys.map((k) => genExpr(g, k.right, cx).code).join(', ')}]); ${rows}.push(${pc.row(inner)});`);
      });
    });
    g.call(fn, []);
  };
  if (pc.dependsOnParams(plan.righttree!)) build();
  else g.block(`if (${rows} === null)`, build);
  const compare = g.konst(mergeComparator(plan));
  const at = g.state('0');
  g.emit(`${at} = 0;`);
  const keepsInner = jointype === 'right' || jointype === 'full';
  const matched = keepsInner ? g.state('null', 'm') : '';
  if (keepsInner) g.emit(`${matched} = new Uint8Array(${rows}.length);`);
  const pair = jointype === 'inner' || jointype === 'semi' || jointype === 'anti' ? null : outlinedPair(pc, plan, consume);
  const innerAt = (row: string): Column[] => pc.columnsOfRow(row, innerTypes);
  pc.produce(plan.lefttree!, (outer) => {
    const cx = pc.context({ outer });
    const key = g.local(`[${mergeKeys.map((k) => genExpr(g, k.left, cx).code).join(', ')}]`);
    const order = g.local('0', true);
    g.emit(`while (${at} < ${rows}.length && (${order} = ${compare}(${keysOf}[${at}], ${key})) < 0) ${at}++;`);
    const found = g.local('false', true);
    const i = g.next('i');
    const nullKey = g.local(`${key}.includes(null)`);
    g.labelled((done) => {
      g.block(`for (let ${i} = ${at}; !${nullKey} && ${i} < ${rows}.length && ${compare}(${keysOf}[${i}], ${key}) === 0; ${i}++)`, () => {
        g.labelled((next) => {
          const row = g.local(`${rows}[${i}]`);
          const inner = innerAt(row);
          genFilter(g, plan.joinqual, pc.context({ outer, inner }), g.jumpCode(next));
          g.emit(`${found} = true;`);
          if (jointype === 'semi' || jointype === 'anti') {
            g.jump(done);
            return;
          }
          if (keepsInner) g.emit(`${matched}[${i}] = 1;`);
          if (pair !== null) pair(outer, inner);
          else emitPair(pc, plan, outer, inner, consume);
        });
      });
    });
    if (jointype === 'semi' || jointype === 'anti') {
      g.block(`if (${jointype === 'semi' ? found : `!${found}`})`, () => emitPair(pc, plan, outer, nullColumns(plan.righttree!), consume));
    } else if (jointype === 'left' || jointype === 'full') {
      g.block(`if (!${found})`, () => pair!(outer, nullColumns(plan.righttree!)));
    }
  });
  if (keepsInner) {
    const i = g.next('i');
    g.block(`for (let ${i} = 0; ${i} < ${rows}.length; ${i}++)`, () => {
      g.block(`if (${matched}[${i}] === 0)`, () => {
        const row = g.local(`${rows}[${i}]`);
        pair!(nullColumns(plan.lefttree!), innerAt(row));
      });
    });
  }
};

function mergeComparator(plan: MergeJoin): (a: unknown[], b: unknown[]) => number {
  const parts = plan.mergeKeys.map((k) => ({ compare: typeComparator(exprType(k.right), k.collation, exprType(k.left)), sign: k.reverse ? -1 : 1, nullOrder: k.nullsFirst ? -1 : 1 }));
  return (a, b) => {
    for (let i = 0; i < parts.length; i++) {
      const { compare, sign, nullOrder } = parts[i]!;
      const x = a[i];
      const y = b[i];
      if (x === null || y === null) {
        if (x !== y) return x === null ? nullOrder : -nullOrder;
        continue;
      }
      const order = compare(x, y);
      if (order !== 0) return sign * order;
    }
    return 0;
  };
}

export const joinProducers = { NestLoop: nestLoop, HashJoin: hashJoin, MergeJoin: mergeJoin };
