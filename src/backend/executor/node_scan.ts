// Nodes that read a table: SeqScan, IndexScan, IndexOnlyScan, bitmap scans, TidScan.
import { beginIndexScan, lookupUnique } from '../access/index.ts';
import { beginKeyScan, mayHaveLongKeys } from './long_keys.ts';
import { lossyRows, NearestRows, refuseOldKeys } from '../access/spatial.ts';
import { isInverted } from '../access/gin.ts';
import { isDecodable, keyDecoder } from '../access/key_decode.ts';
import { beginScan, fetchRow, inHeapOrder } from '../access/table.ts';
import { SharedRange, SharedSequence } from '../access/parallel_scan.ts';
import { internalError } from '../../common/errors.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { IndexInfo, Relation } from '../catalog/relation.ts';
import type { BitmapHeapScan, BitmapIndexScan, BitmapPlan, GinScan, IndexOnlyScan, IndexScan, IndexScanFields, Plan, SampleScan, SeqScan, TidScan } from '../nodes/plannodes.ts';
import { containsNode } from '../nodes/nodeFuncs.ts';
import type { CurrentOfExpr, Expr, OpExpr } from '../nodes/primnodes.ts';
import { containsVolatile } from '../optimizer/clauses.ts';
import { containsLeakedVars } from '../optimizer/leakproof.ts';
import { commonRowIds } from './bitmap_set.ts';
import { currentOf } from './current_of.ts';
import { noteRead } from '../transaction/xact.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import type { Column, Value } from './codegen.ts';
import { ginRowIds, ginRows } from './gin_rows.ts';
import { RELATION } from '../utils/pgstat_shmem.ts';
import { genExpr, genFilter } from './expr_codegen.ts';
import { indexRanges, uniqueKey } from './index_range.ts';
import type { Consumer, PlanCompiler, Producer } from './plan_compiler.ts';
import { walkExpr } from './plan_walker.ts';
import { type RowPlace, tableColumns } from './scan_columns.ts';

export function scannedRelation(pc: PlanCompiler, scanrelid: number): Relation {
  const rte = pc.stmt.rtable[scanrelid - 1];
  if (rte === undefined || rte.rtekind !== 'relation') throw internalError(`scan of range table entry ${scanrelid}`);
  return openRelation(rte.relid);
}

/** EvalPlanQual: this relation shows just the row that was locked. */
export function produceEpqRow(pc: PlanCompiler, plan: SeqScan | SampleScan | GinScan | IndexScan | IndexOnlyScan | BitmapHeapScan | TidScan, quals: readonly Expr[], consume: Consumer): boolean {
  if (pc.options.epq === null || !pc.options.epq.has(plan.scanrelid)) return false;
  const { g } = pc;
  const rel = scannedRelation(pc, plan.scanrelid);
  const pin = g.local(`rt.epq.get(${plan.scanrelid})`);
  g.labelled((row) => {
    g.emit(`if (${pin} === undefined) ${g.jumpCode(row)}`);
    produceRow(pc, rel, pin, `${pin}.rowId`, row, plan, quals, consume);
  });
  return true;
}

/** Fetches a row by id, reads what is needed of it at once (the bytes may not outlive the next fetch). */
export function produceFetched(pc: PlanCompiler, rel: Relation, id: string, rowLabel: string, plan: Plan, quals: readonly Expr[], consume: Consumer): void {
  const { g } = pc;
  const ref = g.local(`${g.konst(fetchRow)}(${g.konst(rel)}, ${id}, rt.cid)`);
  g.emit(`if (${ref} === undefined) ${g.jumpCode(rowLabel)}`);
  produceRow(pc, rel, ref, id, rowLabel, plan, quals, consume);
}

/** A row where a RowRef says it is. */
function produceRow(pc: PlanCompiler, rel: Relation, ref: string, id: string, rowLabel: string, plan: Plan, quals: readonly Expr[], consume: Consumer): void {
  const { g } = pc;
  const place: RowPlace = { bytes: g.local(`${ref}.bytes`), view: g.local(`${ref}.view`), offset: g.local(`${ref}.offset`), rowId: id };
  const columns = tableColumns(rel, place);
  const cx = pc.context({ scan: columns });
  genFilter(g, quals, cx, g.jumpCode(rowLabel));
  forceVars(pc, plan, columns);
  genFilter(g, plan.qual, cx, pc.counted(plan, g.jumpCode(rowLabel)));
  consume(pc.project(plan.targetlist, cx));
}

/** Reads all columns that the target list shows as they are. */
function forceVars(pc: PlanCompiler, plan: Plan, columns: (attno: number) => Column): void {
  const seen = new Set<number>();
  for (const tle of plan.targetlist) collectVars(tle.expr, seen);
  for (const q of plan.qual) collectVars(q, seen);
  for (const attno of seen) pc.g.column(columns(attno));
}
function collectVars(e: Expr, into: Set<number>): void {
  walkVars(e, (varno, attno) => { if (varno > 0) into.add(attno); });
}

/** Conditions that say the same of a row again, and cannot fail: rows that moved are looked through before they are put in order. */
const canFilterTwice = (quals: readonly Expr[]): boolean =>
  quals.length > 0 && quals.every((qual) => !containsLeakedVars(qual) && !containsVolatile(qual) && !referencesRow(qual));
const referencesRow = (qual: Expr): boolean => containsNode(qual, (n) => n.kind === 'Var' && n.varattno <= 0);

/** Emits the loop over the blocks of a scan (access/table.ts). */
export function produceBlocks(pc: PlanCompiler, scan: string, body: (block: BlockPlace) => void): void {
  const { g } = pc;
  g.emit('try {');
  g.block(`while (${scan}.next())`, () => {
    g.emit(`${g.konst(checkForInterrupts)}();`);
    body({ bytes: g.local(`${scan}.bytes`), view: g.local(`${scan}.view`), wide: g.local(`${scan}.wide`) });
  });
  g.emit(`} finally { ${scan}.close(); }`);
}
interface BlockPlace { bytes: string; view: string; wide: string }

/** Emits the loop over the first `count` slots of a block. */
export function produceBlockRows(pc: PlanCompiler, scan: string, { bytes, view, wide }: BlockPlace, count: string, body: (slot: string, place: RowPlace, skip: string) => void): void {
  const { g } = pc, slot = g.next('i');
  g.block(`for (let ${slot} = 0; ${slot} < ${count}; ${slot}++)`, () => {
    const offset = g.local(`${wide} ? ${view}.getUint32(8 + 4 * ${slot}, true) : ${view}.getUint16(8 + 2 * ${slot}, true)`);
    g.labelled((row) => {
      g.emit(`if (${offset} === 0) { ${scan}.counts[${RELATION.returned}]--; ${g.jumpCode(row)} }`);
      body(slot, { bytes, view, offset, rowId: `${scan}.rowId(${slot})` }, g.jumpCode(row));
    });
  });
}

const seqScan: Producer<SeqScan> = (pc, plan, consume) => {
  if (produceEpqRow(pc, plan, plan.tidrangequals, consume)) return;
  const { g } = pc;
  const rel = scannedRelation(pc, plan.scanrelid), filtered = canFilterTwice(plan.qual);
  const counter = pc.sharedCounter(plan, [rel]);
  const scan = g.local(`${g.konst(beginScan)}(${g.konst(rel)}, rt.cid, ${!filtered}${counter === null ? '' : `, ${counter.code}`})`);
  produceBlocks(pc, scan, (block) => {
    const count = g.local(`${scan}.slotCount`, filtered);
    if (filtered) {
      g.block(`if (${scan}.moved)`, () => {
        const wanted = g.local(`${scan}.wanted()`), n = g.local('0', true);
        produceBlockRows(pc, scan, block, count, (slot, place, skip) => {
          genFilter(g, plan.qual, pc.context({ scan: tableColumns(rel, place) }), pc.counted(plan, skip));
          g.emit(`${wanted}[${n}++] = ${slot};`);
        });
        g.emit(`${count} = ${scan}.arrangeWanted(${n});`);
      });
    }
    produceBlockRows(pc, scan, block, count, (_slot, place, skip) => {
      const cx = pc.context({ scan: tableColumns(rel, place) });
      // Rows outside of a range of ctid are read over.
      genFilter(g, plan.tidrangequals, cx, skip);
      pc.filterAndProject(plan, cx, skip, consume);
    });
  });
};

export function indexOf(rel: Relation, indexid: number): IndexInfo {
  const info = rel.indexes.find((i) => i.indexrelid === indexid);
  if (info === undefined) throw internalError(`index ${indexid} of relation ${rel.name} is gone`);
  return info;
}

/** Emits the loop over the entries that fit the conditions; `body` gets the row id and the key. */
function produceEntries(pc: PlanCompiler, plan: IndexScan | IndexOnlyScan | BitmapIndexScan, info: IndexInfo, body: (rowId: string, key: string, rowLabel: string) => void): void {
  const { g } = pc;
  const cx = pc.context({});
  const values = plan.conditions.map((c) => (c.value === null ? 'null' : genExpr(g, c.value, cx).code));
  const infoName = g.konst(info), fetches = plan.kind === 'IndexScan';
  const { conditions } = plan;
  const counter = plan.kind === 'BitmapIndexScan' ? null : pc.sharedCounter(plan, [info.index]);
  if (info.accessMethod === 'gist' || info.accessMethod === 'spgist') refuseOldKeys(info);
  if (conditions.some((c) => c.strategy === 'lossy')) {
    const rows = g.local(`${g.konst(inHeapOrder)}(${g.konst(openRelation(info.indrelid))}, ${g.konst(isInverted(info) ? invertedRows : lossyRows)}(${infoName}, ${lossySpec(pc, plan)}, [${values.join(', ')}], rt.cid), rt.cid)`);
    const i = g.next('i'), counts = g.konst(info.index.counts);
    g.emit(`${counts}[${RELATION.scans}]++; ${counts}[${RELATION.returned}] += ${rows}.length;${fetches ? ` ${counts}[${RELATION.fetched}] += ${rows}.length;` : ''}`);
    g.block(`for (let ${i} = 0; ${i} < ${rows}.length; ${i}++)`, () => g.labelled((row) => body(g.local(`${rows}[${i}]`), "''", row)));
    return;
  }
  const allEqual = counter === null && info.unique && info.immediate && conditions.length === info.keyCount && conditions.every((c, i) => c.strategy === '=' && c.column === i + 1 && c.unlike === undefined);
  if (allEqual) {
    // At most one row: no scan, one look-up.
    g.labelled((row) => {
      const key = g.local(`${g.konst(uniqueKey)}(${infoName}, [${values.join(', ')}])`);
      g.emit(`if (${key} === null) ${g.jumpCode(row)}`);
      const id = g.local(`${g.konst(lookupUnique)}(${infoName}, ${key}, rt.cid)`);
      g.emit(`if (${id} === undefined) ${g.jumpCode(row)}`);
      if (fetches) g.emit(`${g.konst(info.index.counts)}[${RELATION.fetched}]++;`);
      body(id, key, row);
    });
    return;
  }
  const spec = g.konst(conditions.map(({ column, strategy, asRow, unlike }) => ({ column, strategy, asRow, unlike })));
  const ranges = g.local(`${g.konst(indexRanges)}(${infoName}, ${spec}, [${values.join(', ')}])`);
  const backward = plan.indexorderdir === 'backward';
  const share = counter === null ? '' : g.local(`${counter.code} === null ? null : new ${g.konst(SharedSequence)}(${counter.code})`);
  const r = g.next('r');
  const loop = backward ? `for (let ${r} = ${ranges}.length - 1; ${r} >= 0; ${r}--)` : `for (let ${r} = 0; ${r} < ${ranges}.length; ${r}++)`;
  g.block(loop, () => {
    const scan = g.local(`${g.konst(mayHaveLongKeys(info) ? beginKeyScan : beginIndexScan)}(${infoName}, ${ranges}[${r}], ${backward}, rt.cid${share === '' ? '' : `, ${share}`})`);
    const n = g.local('0', true);
    g.emit('try {');
    g.block(`while (${scan}.next())`, () => {
      g.emit(`if ((++${n} & 255) === 0) ${g.konst(checkForInterrupts)}();`);
      g.labelled((row) => body(g.local(`${scan}.rowId`), `${scan}.key`, row));
    });
    g.emit(`} finally { ${scan}.close();${fetches ? ` ${g.konst(info.index.counts)}[${RELATION.fetched}] += ${n};` : ''} }`);
  });
}

const invertedRows: typeof lossyRows = (info, conditions, values, cid) => Array.from(ginRows(info, conditions, values, cid));

const lossySpec = (pc: PlanCompiler, plan: IndexScanFields): string => pc.g.konst(plan.conditions.map((c) => ({ column: c.column, strategy: c.number ?? 0, ...(c.strategy === '=' ? { equal: true } : {}) })));

/** Rows by their distance from a point. */
function produceNearest(pc: PlanCompiler, plan: IndexScan | IndexOnlyScan, rel: Relation, info: IndexInfo, consume: Consumer): void {
  const { g } = pc;
  const order = plan.indexorderby[0] as OpExpr;
  const distance = g.fn(['id'], () => {
    const ref = g.local(`${g.konst(fetchRow)}(${g.konst(rel)}, id, rt.cid)`);
    g.emit(`if (${ref} === undefined) return null;`);
    const columns = tableColumns(rel, { bytes: g.local(`${ref}.bytes`), view: g.local(`${ref}.view`), offset: g.local(`${ref}.offset`), rowId: 'id' });
    g.emit(`return ${genExpr(g, order, pc.context({ scan: columns })).code};`);
  });
  const cx = pc.context({});
  const values = plan.conditions.map((c) => genExpr(g, c.value!, cx).code);
  const rows = g.local(`new (${g.konst(NearestRows)})(${g.konst(info)}, ${lossySpec(pc, plan)}, [${values.join(', ')}], ${genExpr(g, order.args[1]!, cx).code}, ${distance.name}, rt.cid)`);
  const id = g.next('i');
  g.block(`for (let ${id} = ${rows}.next(); ${id} !== undefined; ${id} = ${rows}.next())`, () => {
    g.labelled((row) => produceFetched(pc, rel, id, row, plan, plan.extraquals, consume));
  });
}

const indexScan: Producer<IndexScan> = (pc, plan, consume) => {
  if (produceEpqRow(pc, plan, plan.indexqual, consume)) return;
  const rel = scannedRelation(pc, plan.scanrelid);
  const info = indexOf(rel, plan.indexid);
  if (plan.indexorderby.length > 0) {
    produceNearest(pc, plan, rel, info, consume);
    return;
  }
  if (plan.conditions.some((c) => c.strategy === 'lossy')) {
    produceEntries(pc, plan, info, (id, _key, row) => produceFetched(pc, rel, id, row, plan, plan.extraquals, consume));
    return;
  }
  if (info.accessMethod !== 'gist' && info.accessMethod !== 'spgist') {
    produceEntries(pc, plan, info, (id, _key, row) => produceFetched(pc, rel, id, row, plan, plan.extraquals, consume));
    return;
  }
  // Those methods promise no order; the table's is what their entries have where they are few.
  const { g } = pc;
  const found = g.local('[]');
  produceEntries(pc, plan, info, (id) => g.emit(`${found}.push(${id});`));
  const ids = g.local(`${g.konst(inHeapOrder)}(${g.konst(rel)}, ${found}, rt.cid)`);
  const i = g.next('i');
  g.block(`for (let ${i} = 0; ${i} < ${ids}.length; ${i}++)`, () => {
    g.emit(`if ((${i} & 255) === 255) ${g.konst(checkForInterrupts)}();`);
    g.labelled((row) => produceFetched(pc, rel, g.local(`${ids}[${i}]`), row, plan, plan.extraquals, consume));
  });
};

/** How many leading columns of an index come back from its keys. */
function decodableColumns(rel: Relation, info: IndexInfo): number {
  let n = 0;
  while (n < info.keyCount && isDecodable(info.columns[n]!, rel.attributes[info.keyAttributes[n]! - 1]?.atttypid ?? 0)) n++;
  return n;
}

/** The columns come out of the keys. */
const indexOnlyScan: Producer<IndexOnlyScan> = (pc, plan, consume) => {
  if (produceEpqRow(pc, plan, plan.indexqual, consume)) return;
  const { g } = pc;
  const rel = scannedRelation(pc, plan.scanrelid);
  const info = indexOf(rel, plan.indexid);
  if (plan.indexorderby.length > 0) {
    produceNearest(pc, plan, rel, info, consume);
    return;
  }
  const places = new Set<number>(info.accessMethod === 'btree' ? [] : [-1]);
  for (const e of [...plan.targetlist.map((t) => t.expr), ...plan.qual, ...plan.extraquals]) walkVars(e, (varno, attno) => { if (varno === plan.scanrelid) places.add(info.keyAttributes.indexOf(attno)); });
  // A cursor's row has been asked for, too (WHERE CURRENT OF), or a column that the key does not have, or not exactly.
  const fetches = places.has(-1) || Math.max(...places) >= decodableColumns(rel, info);
  const decode = fetches || places.size === 0 ? '' : g.konst(keyDecoder(info.columns, Math.max(...places) + 1));
  g.emit(`${g.konst(noteRead)}(${rel.oid}, ${rel.filenode}, ${rel.shared});`);
  produceEntries(pc, plan, info, (id, key, row) => {
    if (fetches) {
      produceFetched(pc, rel, id, row, plan, plan.extraquals, consume);
      return;
    }
    const values = decode === '' ? '' : g.local(`${decode}(${key})`);
    const columns = new Map<number, Column>();
    const scan = (attno: number): Column => {
      let column = columns.get(attno);
      if (column === undefined) {
        const attribute = rel.attributes[attno - 1]!;
        column = { nullable: !attribute.attnotnull, type: attribute.atttypid, read: () => `${values}[${info.keyAttributes.indexOf(attno)}]` };
        columns.set(attno, column);
      }
      return column;
    };
    genFilter(g, plan.extraquals, pc.context({ scan }), g.jumpCode(row));
    pc.filterAndProject(plan, pc.context({ scan }), g.jumpCode(row), consume);
  });
};

/** The row ids of an index or of several put together, as an expression: an array, each once where `unique`. */
function rowIdsOf(pc: PlanCompiler, plan: BitmapPlan, rel: Relation): string {
  const { g } = pc;
  if (plan.kind === 'GinScan') {
    const found = g.local('null', true);
    pc.produceQuietly(plan, () => {
      g.emit(`${found} = Array.from(${ginRowIds(pc, plan, indexOf(rel, plan.indexid))});`);
      return `${found}.length`;
    });
    return found;
  }
  if (plan.kind !== 'BitmapIndexScan') {
    const lists = plan.bitmapplans.map((p) => rowIdsOf(pc, p, rel));
    return g.local(plan.kind === 'BitmapAnd' ? `${g.konst(commonRowIds)}([${lists.join(', ')}])` : `[].concat(${lists.join(', ')})`);
  }
  const ids = g.local('[]');
  pc.produceQuietly(plan, () => {
    produceEntries(pc, plan, indexOf(rel, plan.indexid), (id, _key, row) => {
      if (plan.extraquals.length > 0) {
        const ref = g.local(`${g.konst(fetchRow)}(${g.konst(rel)}, ${id}, rt.cid)`);
        g.emit(`if (${ref} === undefined) ${g.jumpCode(row)}`);
        const columns = tableColumns(rel, { bytes: g.local(`${ref}.bytes`), view: g.local(`${ref}.view`), offset: g.local(`${ref}.offset`), rowId: id });
        genFilter(g, plan.extraquals, pc.context({ scan: columns }), g.jumpCode(row));
      }
      g.emit(`${ids}.push(${id});`);
    });
    return `${ids}.length`;
  });
  return ids;
}

const isInexact = (plan: BitmapPlan): boolean => (plan.kind === 'BitmapAnd' || plan.kind === 'BitmapOr' ? plan.bitmapplans.some(isInexact) : plan.kind === 'GinScan');

/** Entries of other indexes than inverted ones are exact, and so are the row ids: nothing has to be tested again. */
const bitmapHeapScan: Producer<BitmapHeapScan> = (pc, plan, consume) => {
  if (produceEpqRow(pc, plan, plan.bitmapqualorig, consume)) return;
  const { g } = pc;
  const rel = scannedRelation(pc, plan.scanrelid);
  const ids = g.local(`${g.konst(inHeapOrder)}(${g.konst(rel)}, ${rowIdsOf(pc, plan.lefttree as BitmapPlan, rel)}, rt.cid)`);
  g.emit(`${g.konst(rel.counts)}[${RELATION.fetched}] += ${ids}.length;`);
  if (pc.options.instrument) g.emit(`rt.notes.set(${g.konst(plan)}, ${g.konst(countBlocks)}(${ids}));`);
  // Of several processes each knows all row ids, and fetches a part of the rows.
  const counter = pc.sharedCounter(plan, []);
  const share = counter === null ? '' : g.local(`${counter.code} === null ? null : new ${g.konst(SharedRange)}(${counter.code}, ${ids}.length)`);
  const i = g.next('i');
  const rows = (from: string, to: string): void => g.block(`for (let ${i} = ${from}; ${i} < ${to}; ${i}++)`, () => {
    g.emit(`if ((${i} & 255) === 255) ${g.konst(checkForInterrupts)}();`);
    g.labelled((row) => produceFetched(pc, rel, g.local(`${ids}[${i}]`), row, plan, isInexact(plan.lefttree as BitmapPlan) ? plan.bitmapqualorig : [], consume));
  });
  if (share === '') {
    rows('0', `${ids}.length`);
    return;
  }
  const once = g.local('true', true);
  g.block(`while (${share} === null ? ${once} : ${share}.next())`, () => {
    g.emit(`${once} = false;`);
    rows(`${share} === null ? 0 : ${share}.from`, g.local(`${share} === null ? ${ids}.length : ${share}.to`));
  });
};

function countBlocks(ids: readonly number[]): number {
  let count = 0;
  let last = -1;
  for (const id of ids) {
    const block = Math.floor(id / 65536);
    if (block !== last) count++;
    last = block;
  }
  return count;
}

/** The row a cursor stands on; its name is given, or is a parameter's value. */
function cursorRow(pc: PlanCompiler, qual: CurrentOfExpr, tableOid: number): Value {
  const { g } = pc;
  const name = qual.cursor_name !== null ? g.konst(qual.cursor_name) : g.hoisted(`P[${qual.cursor_param - 1}]`);
  return { code: g.local(`${g.konst(currentOf)}.rowId(${name}, ${tableOid})`), nullable: true };
}

const isCtid = (e: Expr): boolean => e.kind === 'Var' && e.varattno === -1;
const valueBesideCtid = ({ args }: { args: Expr[] }): Expr => (isCtid(args[0]!) ? args[1]! : args[0]!);

const tidScan: Producer<TidScan> = (pc, plan, consume) => {
  // The row is the one that was named, wherever it is now.
  if (produceEpqRow(pc, plan, [], consume)) return;
  const { g } = pc;
  const rel = scannedRelation(pc, plan.scanrelid);
  const cx = pc.context({});
  // Rows that several conditions name come once, in the order of the table.
  const lists = plan.tidquals.map((qual) => {
    const value = qual.kind === 'CurrentOfExpr' ? cursorRow(pc, qual, rel.oid) : genExpr(g, valueBesideCtid(qual as Expr & { args: Expr[] }), cx);
    return qual.kind === 'ScalarArrayOpExpr' ? `(${value.code} === null ? [] : ${value.code}.values)` : `[${value.code}]`;
  });
  const single = lists.length === 1 && plan.tidquals[0]!.kind !== 'ScalarArrayOpExpr';
  const list = g.local(single ? lists[0]! : `[...new Set([${lists.map((l) => `...${l}`).join(', ')}])].sort((x, y) => x - y)`);
  const id = g.next('i');
  g.block(`for (const ${id} of ${list})`, () => {
    g.labelled((row) => {
      // (0,0) is -1, which no row has.
      g.emit(`if (${id} === null || ${id} < 0) ${g.jumpCode(row)}`);
      produceFetched(pc, rel, id, row, plan, [], consume);
    });
  });
};

export const scanProducers = { SeqScan: seqScan, IndexScan: indexScan, IndexOnlyScan: indexOnlyScan, BitmapHeapScan: bitmapHeapScan, TidScan: tidScan };

function walkVars(e: Expr, visit: (varno: number, attno: number) => void): void {
  walkExpr(e, (node) => {
    if (node.kind === 'Var') visit(node.varno, node.varattno);
  });
}
