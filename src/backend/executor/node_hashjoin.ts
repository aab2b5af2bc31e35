// HashJoin: the inner rows stand in a hash table, column by column: `C[i]` are plain arrays, `next` of the table chains
// the rows of one key (join_table.ts). When they outgrow their memory both sides go to files and are joined batch by
// batch (hash_spill.ts); then rows come from a second place in the text. What follows the join is a function called from
// both places; only where that would cost most, below an aggregate, its text stands there twice (`allowRepeats`).
import { exprType } from '../nodes/nodeFuncs.ts';
import type { HashJoin } from '../nodes/plannodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import type { Column, Generator } from './codegen.ts';
import { genExpr, genFilter, genTest } from './expr_codegen.ts';
import { JoinSpill, spillHash, type JoinSpillSpec } from './hash_spill.ts';
import { JoinIntTable, JoinMapTable, JoinMultiTable } from './join_table.ts';
import { datumBytes, isFixedSize } from './memory.ts';
import { emitPair, nullColumns, outlinedPair } from './node_join.ts';
import { outputTypes } from './node_sort.ts';
import type { PlanCompiler, Producer } from './plan_compiler.ts';
import { hashKeyFunction, isPrimitiveKey } from './sort_support.ts';
import { hashWithoutCollation } from './collated.ts';

const INT_KEYS = new Set([21, 23, 1082]);

/** The texts of the hash keys, and the test for a NULL among them (which equals nothing). */
function joinKey(g: Generator, exprs: readonly Expr[], clauses: readonly Expr[], cx: ReturnType<PlanCompiler['context']>): { keys: string[]; nulls: string } {
  const nulls: string[] = [];
  const keys = exprs.map((e, i) => {
    const value = g.atomic(genExpr(g, e, cx));
    if (value.nullable) nulls.push(`${value.code} === null`);
    const type = exprType(e), clause = clauses[i]!;
    const fails = clause.kind === 'OpExpr' ? hashWithoutCollation(type, clause.inputcollid) : null;
    if (fails !== null) return `${g.konst(fails)}()`;
    const collation = clause.kind === 'OpExpr' ? clause.inputcollid : 0;
    if (isPrimitiveKey(type, collation)) return value.code;
    const key = `${g.konst(hashKeyFunction(type, collation))}(${value.code})`;
    return g.local(value.nullable ? `${value.code} === null ? null : ${key}` : key);
  });
  return { keys, nulls: nulls.join(' || ') };
}

export const hashJoin: Producer<HashJoin> = (pc, plan, consume) => {
  const { g } = pc;
  const { jointype, hashkeys } = plan;
  const innerPlan = plan.righttree!;
  const outerPlan = plan.lefttree!;
  const keepsInner = jointype === 'right' || jointype === 'full';
  const keepsOuter = jointype === 'left' || jointype === 'full' || jointype === 'anti';
  const int = hashkeys.length === 1 && INT_KEYS.has(exprType(hashkeys[0]!.inner)) && INT_KEYS.has(exprType(hashkeys[0]!.outer));
  const multi = hashkeys.length > 1;
  const Table = multi ? JoinMultiTable : int ? JoinIntTable : JoinMapTable;
  const innerTypes = outputTypes(innerPlan);
  const outerTypes = outputTypes(outerPlan);
  const spec: JoinSpillSpec = {
    inner: innerTypes.map((t) => t.type), outer: outerTypes.map((t) => t.type), rowBytes: Table.rowBytes * hashkeys.length + 8 * innerTypes.length, keepsInner, keepsOuter,
  };
  const table = g.state('null', 't');
  const spill = g.state('null', 'sp');
  const arrays = innerTypes.map(() => g.state('null', 'C'));
  const large = innerTypes.map((t, i) => (isFixedSize(t.type) ? -1 : i)).filter((i) => i >= 0);
  const matched = keepsInner ? g.state('null', 'm') : '';
  const innerAt = (i: string): Column[] => innerTypes.map((t, c) => ({ nullable: true, type: t.type, read: () => `${arrays[c]}[${i}]` }));
  const hashOf = (keys: readonly string[], nulls: string): string => `${nulls === '' ? '' : `${nulls} ? 0 : `}${g.konst(spillHash)}(${keys.join(', ')})`;

  /** Puts a row into the table; `l` is put before the names of the columns' arrays. */
  const add = (T: string, l: string, inner: readonly Column[], keys: readonly string[], nulls: string): void => {
    if (nulls !== '' && keepsInner) g.emit(`if (${nulls}) ${T}.addUnmatchable(); else {`);
    if (multi) keys.forEach((k, i) => g.emit(`${T}.key[${i}] = ${k};`));
    g.emit(multi ? `${T}.add();` : `${T}.add(${keys[0]});`);
    if (nulls !== '' && keepsInner) g.emit('}');
    arrays.forEach((name, i) => g.emit(`${l}${name}.push(${g.column(inner[i]!).code});`));
  };
  const innerKey = (inner: Column[]): ReturnType<typeof joinKey> => joinKey(g, hashkeys.map((k) => k.inner), plan.hashclauses, pc.context({ outer: inner, inner }));
  const clear = (): void => g.emit(`${table}.clear(); ${arrays.map((a) => `${a}.length = 0;`).join(' ')}`);

  /** The rows of the table go to the files. */
  const dump = g.fn([], () => {
    g.emit(`${spill}.start();`);
    const i = g.next('i');
    g.block(`for (let ${i} = 0; ${i} < ${table}.count; ${i}++)`, () => {
      g.emit(`if ((${i} & 1023) === 1023) ${g.konst(checkForInterrupts)}();`);
      const inner = innerAt(i);
      const { keys, nulls } = innerKey(inner);
      g.emit(`${spill}.addInner(${pc.row(inner)}, ${hashOf(keys, nulls)});`);
    });
    clear();
  });

  const build = (): void => {
    // Each of several processes has the whole table: what the planner would have them fill together is read by whoever makes it.
    const { gather } = pc;
    pc.gather = null;
    g.emit(`${spill}?.close(); ${spill} = new ${g.konst(JoinSpill)}(${g.konst(spec)}); ${table} = new ${g.konst(Table)}(${multi ? hashkeys.length : ''});`);
    for (const name of arrays) g.emit(`${name} = [];`);
    const direct = !pc.mayOutline(innerPlan);
    const [T, l, S] = direct ? ['T', 'l', 'S'] : [table, '', spill];
    const fn = g.fn([], () => {
      if (direct) g.emit(`const T = ${table}, S = ${spill}${arrays.map((a) => `, l${a} = ${a}`).join('')};`);
      pc.produce(innerPlan, (inner) => {
        g.labelled((label) => {
          const { keys, nulls } = innerKey(inner);
          if (nulls !== '' && !keepsInner) g.emit(`if (${nulls}) ${g.jumpCode(label)}`);
          g.block(`if (${T}.count >= ${S}.maxRows)`, () => {
            g.emit(`if (!${S}.on) ${dump.name}();`);
            g.emit(`${S}.addInner(${pc.row(inner)}, ${hashOf(keys, nulls)}); ${g.jumpCode(label)}`);
          });
          add(T, l, inner, keys, nulls);
          if (large.length > 0) g.emit(`if ((${S}.bytes += ${large.map((i) => `${g.konst(datumBytes)}(${g.column(inner[i]!).code})`).join(' + ')}) > ${S}.limit) ${S}.full();`);
        });
      });
    });
    g.call(fn, []);
    pc.gather = gather;
  };
  // Its keys may have values from outside though its rows have none.
  const isFresh = pc.dependsOnParams(innerPlan) || pc.dependOnParams(hashkeys.map((k) => k.inner));
  // Without outer rows the inner ones are not wanted. Which side is looked at first, if either will do, the costs say (ExecHashJoin).
  const outerFirst = !keepsInner && (keepsOuter || outerPlan.startup_cost < innerPlan.total_cost);
  const made = !isFresh && pc.gather?.joins.has(plan) === true ? g.fn([], () => g.block(`if (${table} === null)`, build)) : null;
  if (made !== null) pc.gather!.tables.push(made);
  const buildIfWanted = (): void => {
    if (isFresh) build();
    else if (made !== null) g.call(made, []);
    else g.block(`if (${table} === null)`, build);
  };

  const repeats = pc.repeats.has(plan);
  const twoPlaces = jointype === 'left' || jointype === 'full' || keepsInner;
  const pair = twoPlaces || !repeats ? outlinedPair(pc, plan, consume) : null;
  const pass = (outer: Column[], inner: Column[]): void => (pair === null ? emitPair(pc, plan, outer, inner, consume) : pair(outer, inner));
  const unmatchedInner = nullColumns(innerPlan);

  const probe = (outer: Column[], keys: readonly string[], nulls: string, label: string): void => {
    if (multi) keys.forEach((k, i) => g.emit(`${table}.key[${i}] = ${k};`));
    const find = multi ? `${table}.first()` : `${table}.first(${keys[0]})`;
    const i = g.local(nulls === '' ? find : `${nulls} ? -1 : ${find}`, true);
    if (jointype === 'semi' || jointype === 'anti') {
      if (plan.joinqual.length > 0) {
        const cx = pc.context({ outer, inner: innerAt(i) });
        const looks = g.local('0', true);
        g.block(`for (; ${i} >= 0; ${i} = ${table}.next[${i}])`, () => {
          g.emit(`if ((++${looks} & 1023) === 0) ${g.konst(checkForInterrupts)}();`);
          const tests = plan.joinqual.map((q) => `(${genTest(g, q, cx)})`);
          g.emit(`if (${tests.join(' && ')}) break;`);
          g.emit(pc.counted(plan, '', 'joinFiltered'));
        });
      }
      g.emit(`if (${i} ${jointype === 'semi' ? '<' : '>='} 0) ${g.jumpCode(label)}`);
      pass(outer, jointype === 'semi' ? innerAt(i) : unmatchedInner);
      return;
    }
    const found = keepsOuter ? g.local('false', true) : '';
    const looks = g.local('0', true);
    g.block(`for (; ${i} >= 0; ${i} = ${table}.next[${i}])`, () => {
      g.emit(`if ((++${looks} & 1023) === 0) ${g.konst(checkForInterrupts)}();`);
      g.labelled((next) => {
        const inner = innerAt(i);
        genFilter(g, plan.joinqual, pc.context({ outer, inner }), pc.counted(plan, g.jumpCode(next), 'joinFiltered'));
        if (found !== '') g.emit(`${found} = true;`);
        if (matched !== '') g.emit(`${matched}[${i}] = 1;`);
        pass(outer, inner);
      });
      if (plan.inner_unique && plan.joinqual.length === 0) g.emit('break;');
    });
    if (keepsOuter) g.block(`if (!${found})`, () => pass(outer, unmatchedInner));
  };
  const outerKey = (outer: Column[]): ReturnType<typeof joinKey> => joinKey(g, hashkeys.map((k) => k.outer), plan.hashclauses, pc.context({ outer }));
  const startTable = (): void => {
    if (matched !== '') g.emit(`${matched} = new Uint8Array(${table}.count);`);
  };
  const passUnmatched = (): void => {
    if (!keepsInner) return;
    const i = g.next('i');
    g.block(`for (let ${i} = 0; ${i} < ${table}.count; ${i}++)`, () => {
      g.emit(`if ((${i} & 1023) === 1023) ${g.konst(checkForInterrupts)}();`);
      g.block(`if (${matched}[${i}] === 0)`, () => pass(nullColumns(outerPlan), innerAt(i)));
    });
  };
  const interrupts = (): string => {
    const count = g.local('0', true);
    return `if ((++${count} & 1023) === 0) ${g.konst(checkForInterrupts)}();`;
  };
  const batch = (): void => {
    clear();
    const row = g.next('r');
    const check = interrupts();
    const rows = g.local(`${spill}.innerRows()`);
    g.block(`for (let ${row}; (${row} = ${rows}.next()) !== undefined;)`, () => {
      g.emit(check);
      const inner = pc.columnsOfRow(row, innerTypes);
      const { keys, nulls } = innerKey(inner);
      add(table, '', inner, keys, nulls);
    });
    startTable();
    const outerRow = g.next('r');
    const outerRows = g.local(`${spill}.outerRows()`);
    g.block(`for (let ${outerRow}; (${outerRow} = ${outerRows}.next()) !== undefined;)`, () => {
      g.emit(check);
      g.labelled((label) => {
        const outer = pc.columnsOfRow(outerRow, outerTypes);
        const { keys, nulls } = outerKey(outer);
        probe(outer, keys, nulls, label);
      });
    });
    passUnmatched();
  };

  const spilled = pc.variable(outerPlan, 'false');
  const start = (): void => {
    if (pc.options.instrument) g.emit(`${spill}.tableIs(${table}.count); rt.notes.set(${g.konst(innerPlan)}, ${spill});`);
    startTable();
    g.emit(`${spilled} = ${spill}.on; ${spill}.startOuter();`);
  };
  const started = outerFirst ? pc.variable(outerPlan, 'false') : '';
  if (!outerFirst) {
    buildIfWanted();
    start();
  }
  g.block(keepsOuter || outerFirst ? '' : `if (${table}.count > 0 || ${spilled})`, () => g.labelled((stop) => pc.produce(outerPlan, (outer) => {
    if (outerFirst) {
      g.block(`if (!${started})`, () => {
        g.emit(`${started} = true;`);
        buildIfWanted();
        start();
        if (!keepsOuter) g.emit(`if (${table}.count === 0 && !${spilled}) ${g.jumpCode(stop)}`);
      });
    }
    g.labelled((label) => {
      const { keys, nulls } = outerKey(outer);
      g.emit(`if (${spilled}${nulls === '' ? '' : ` && !(${nulls})`}) { ${g.capture(() => g.emit(`${spill}.addOuter(${pc.row(outer)}, ${g.konst(spillHash)}(${keys.join(', ')})); ${g.jumpCode(label)}`)).lines.join('\n')} }`);
      probe(outer, keys, nulls, label);
    });
  })));
  g.block(`if (${spilled})`, () => {
    const rest = (): void => {
      g.emit(`${spill}.finishOuter();`);
      g.block(`while (${spill}.nextBatch())`, batch);
      clear();
    };
    if (pair === null) rest();
    else g.call(g.fn([], rest), []);
  });
  if (keepsInner) g.block('else', passUnmatched);
};
