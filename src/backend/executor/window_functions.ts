// Window functions and aggregates over frames: everything here works on the rows of one partition,
// which may be in a file, so values are made row by row, in order.
import { PgError, notSupported } from '../../common/errors.ts';
import type { PgAggregate } from '../catalog/rows.ts';
import type { WindowAgg } from '../nodes/plannodes.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Expr, WindowFunc } from '../nodes/primnodes.ts';
import type { Datum } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { genericAggregate, type GenericAggregate, runStep } from './agg_functions.ts';
import { aggregate, callable, calledFunction, functionInfo } from './fmgr_info.ts';
import type { PagedRows } from './paged_rows.ts';
import { containsVolatile } from './plan_walker.ts';
import { rowsEqual } from './row_compare.ts';

export type WindowCall = WindowFunc;

// FRAMEOPTION_* of parsenodes.h.
const ROWS = 0x4, GROUPS = 0x8;
const START_UNBOUNDED_PRECEDING = 0x20, END_UNBOUNDED_FOLLOWING = 0x100, START_CURRENT_ROW = 0x200, END_CURRENT_ROW = 0x400;
const START_OFFSET_PRECEDING = 0x800, END_OFFSET_PRECEDING = 0x1000, START_OFFSET_FOLLOWING = 0x2000, END_OFFSET_FOLLOWING = 0x4000;
const START_OFFSET = START_OFFSET_PRECEDING | START_OFFSET_FOLLOWING;
const END_OFFSET = END_OFFSET_PRECEDING | END_OFFSET_FOLLOWING;
const EXCLUDE_CURRENT_ROW = 0x8000, EXCLUDE_GROUP = 0x10000, EXCLUDE_TIES = 0x20000;
const EXCLUSION = EXCLUDE_CURRENT_ROW | EXCLUDE_GROUP | EXCLUDE_TIES;

type Fn = (...args: any[]) => any;

export interface WindowSpec {
  plan: WindowAgg;
  peers: (a: Datum[], b: Datum[]) => boolean;
  startInRange: Fn | null;
  endInRange: Fn | null;
  calls: { node: WindowFunc; aggregate: GenericAggregate | null; prosrc: string }[];
}

export function makeWindowSpec(plan: WindowAgg, calls: readonly WindowFunc[]): WindowSpec {
  const inRange = (oid: number): Fn | null => (oid === 0 ? null : callable(functionInfo(oid), [], 16, plan.inRangeColl));
  return {
    plan, peers: rowsEqual(plan.ordKeys), startInRange: inRange(plan.startInRangeFunc), endInRange: inRange(plan.endInRangeFunc),
    calls: calls.map((node) => {
      const info = calledFunction(node.winfnoid);
      if (!node.winagg) return { node, aggregate: null, prosrc: info.prosrc };
      const types = node.args.map((a: Expr) => exprType(a));
      const agg = aggregate(node.winfnoid);
      const moving = isMoving(agg, node, plan.frameOptions);
      return {
        node, aggregate: genericAggregate(node.winfnoid, types, transitionType(moving ? agg.aggmtranstype : agg.aggtranstype, types), node.wintype, node.inputcollid, false, moving), prosrc: '',
      };
    }),
  };
}
/** Whether rows that leave the frame are taken out again (initialize_peragg). */
function isMoving(agg: PgAggregate, node: WindowFunc, frameOptions: number): boolean {
  if (agg.aggminvtransfn === 0) return false;
  if (agg.aggmfinalmodify === 'r' && agg.aggfinalmodify !== 'r') return true;
  return (frameOptions & START_UNBOUNDED_PRECEDING) === 0 && !containsVolatile(node);
}

/** Polymorphic transition types are those of the argument, near enough for input functions. */
const transitionType = (type: number, args: readonly number[]): number => (type >= 2276 && type <= 2283 && type !== 2281 ? args[0] ?? type : type);

interface CallInput { args: ((row: Datum[]) => Datum)[]; filter: ((row: Datum[]) => Datum) | null }

export class WindowPartition {
  private readonly spec: WindowSpec;
  private readonly inputs: readonly CallInput[];
  private readonly startOffset: Datum;
  private readonly endOffset: Datum;
  private rows!: PagedRows;
  /** Where each group of peers starts (one more entry at the end). */
  private groupStart: number[] = [];
  /** The group looked at last: rows are looked at in order, mostly. */
  private lastGroup = 0;
  /** Ends of the last frame with a RANGE offset. */
  private rangeFrom = 0;
  private rangeTo = 0;

  constructor(spec: WindowSpec, inputs: readonly CallInput[], startOffset: Datum, endOffset: Datum) {
    this.spec = spec;
    this.inputs = inputs;
    this.startOffset = startOffset;
    this.endOffset = endOffset;
    const { frameOptions } = spec.plan;
    const check = (value: Datum, which: string): void => {
      if (value === null) throw new PgError('null_value_not_allowed', `frame ${which} offset must not be null`);
      if ((frameOptions & (ROWS | GROUPS)) !== 0 && (value as number) < 0) {
        throw new PgError('invalid_preceding_or_following_size', `frame ${which} offset must not be negative`);
      }
    };
    if ((frameOptions & START_OFFSET) !== 0) check(startOffset, 'starting');
    if ((frameOptions & END_OFFSET) !== 0) check(endOffset, 'ending');
  }

  /** For every call the function that gives its value for a row. Rows are asked for in order, each once. */
  evaluate(rows: PagedRows): ((i: number) => Datum)[] {
    this.rows = rows;
    this.groupStart = [0];
    this.lastGroup = this.rangeFrom = this.rangeTo = 0;
    if (this.spec.plan.ordKeys.length > 0) {
      let before = rows.at(0)!;
      for (let i = 1; i < rows.length; i++) {
        const row = rows.at(i)!;
        if (!this.spec.peers(before, row)) this.groupStart.push(i);
        before = row;
      }
    }
    this.groupStart.push(rows.length);
    return this.spec.calls.map((call, n) => (call.aggregate === null ? this.windowFunction(call.prosrc, this.inputs[n]!) : this.aggregate(call.aggregate, this.inputs[n]!)));
  }

  /** The number of a row's peer group. */
  private readonly groupOf = (i: number): number => {
    const { groupStart } = this;
    let group = this.lastGroup;
    if (i >= groupStart[group]! && i < groupStart[group + 1]!) return group;
    if (i >= groupStart[group + 1]! && i < groupStart[group + 2]!) group++;
    else {
      let low = 0, high = groupStart.length - 1;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (groupStart[middle]! <= i) low = middle;
        else high = middle;
      }
      group = low;
    }
    this.lastGroup = group;
    return group;
  };

  // ---------------------------------------------------------------- frames

  private frameStart(i: number): number {
    const { frameOptions } = this.spec.plan;
    if ((frameOptions & START_UNBOUNDED_PRECEDING) !== 0) return 0;
    const group = this.groupOf(i);
    if ((frameOptions & START_CURRENT_ROW) !== 0) return (frameOptions & ROWS) !== 0 ? i : this.groupStart[group]!;
    const offset = (frameOptions & START_OFFSET_PRECEDING) !== 0 ? -Number(this.startOffset) : Number(this.startOffset);
    if ((frameOptions & ROWS) !== 0) return Math.min(Math.max(0, i + offset), this.rows.length);
    if ((frameOptions & GROUPS) !== 0) return this.groupStart[Math.min(Math.max(0, group + offset), this.groupStart.length - 1)]!;
    return this.rangeStart(i);
  }

  /** One past the last row. */
  private frameEnd(i: number): number {
    const { frameOptions } = this.spec.plan;
    if ((frameOptions & END_UNBOUNDED_FOLLOWING) !== 0) return this.rows.length;
    const group = this.groupOf(i);
    if ((frameOptions & END_CURRENT_ROW) !== 0) return (frameOptions & ROWS) !== 0 ? i + 1 : this.groupStart[group + 1]!;
    const offset = (frameOptions & END_OFFSET_PRECEDING) !== 0 ? -Number(this.endOffset) : Number(this.endOffset);
    if ((frameOptions & ROWS) !== 0) return Math.min(Math.max(0, i + offset + 1), this.rows.length);
    if ((frameOptions & GROUPS) !== 0) return group + offset < 0 ? 0 : this.groupStart[Math.min(group + offset + 1, this.groupStart.length - 1)]!;
    return this.rangeEnd(i);
  }

  private rangeStart(i: number): number {
    const { frameOptions, inRangeAsc, inRangeNullsFirst, ordKeys } = this.spec.plan;
    const column = ordKeys[0]!.column - 1;
    const current = this.rows.at(i)![column]!;
    let sub = (frameOptions & START_OFFSET_PRECEDING) !== 0;
    let less = false;
    if (!inRangeAsc) {
      sub = !sub;
      less = true;
    }
    // Frames only move on.
    let at = this.rangeFrom;
    for (; at < this.rows.length; at++) {
      const value = this.rows.at(at)![column]!;
      if (value === null || current === null) {
        if (inRangeNullsFirst ? value !== null || current === null : value === null || current !== null) {
          if (value === null && current === null) break;
          if (value === null ? !inRangeNullsFirst : inRangeNullsFirst === (current === null)) break;
        }
        continue;
      }
      if (this.spec.startInRange!(value, current, this.startOffset, sub, less) === true) break;
    }
    return (this.rangeFrom = at);
  }

  private rangeEnd(i: number): number {
    const { frameOptions, inRangeAsc, inRangeNullsFirst, ordKeys } = this.spec.plan;
    const column = ordKeys[0]!.column - 1;
    const current = this.rows.at(i)![column]!;
    let sub = (frameOptions & END_OFFSET_PRECEDING) !== 0;
    let less = true;
    if (!inRangeAsc) {
      sub = !sub;
      less = false;
    }
    let at = this.rangeTo;
    for (; at < this.rows.length; at++) {
      const value = this.rows.at(at)![column]!;
      if (value === null || current === null) {
        // NULLs are peers of each other only.
        if (value === null && current === null) continue;
        if (inRangeNullsFirst === (value === null)) continue;
        break;
      }
      if (this.spec.endInRange!(value, current, this.endOffset, sub, less) !== true) break;
    }
    return (this.rangeTo = at);
  }

  private excluded(i: number, j: number): boolean {
    const { frameOptions } = this.spec.plan;
    if ((frameOptions & EXCLUDE_CURRENT_ROW) !== 0) return i === j;
    const peers = this.groupOf(i) === this.groupOf(j);
    if ((frameOptions & EXCLUDE_GROUP) !== 0) return peers;
    return (frameOptions & EXCLUDE_TIES) !== 0 && peers && i !== j;
  }

  // ---------------------------------------------------------------- aggregates

  private aggregate(agg: GenericAggregate, input: CallInput): (i: number) => Datum {
    const { rows } = this;
    const { frameOptions } = this.spec.plan;
    const hasExclusion = (frameOptions & EXCLUSION) !== 0;
    let from = -1;
    let to = -1;
    let state: Datum = null;
    /** How many rows are in the state. */
    let count = 0;
    let value: Datum = null;
    const argsOf = (j: number): Datum[] | null => {
      const row = rows.at(j)!;
      if (input.filter !== null && input.filter(row) !== true) return null;
      const args = input.args.map((a) => a(row));
      return agg.strict && args.includes(null) ? null : args;
    };
    const add = (j: number): void => {
      const args = argsOf(j);
      if (args === null) return;
      state = runStep(agg, state, count === 0, args);
      if (state === null && agg.inverse !== null) throw new PgError('null_value_not_allowed', 'moving-aggregate transition function must not return null');
      count++;
    };
    const restart = (): void => {
      state = agg.init();
      count = 0;
    };
    /** False: the aggregate has to begin anew. */
    const remove = (j: number): boolean => {
      const args = argsOf(j);
      if (args === null) return true;
      // The state without any row may be NULL, which no inverse function makes.
      if (count === 1) restart();
      else {
        const less = agg.inverse!(state, ...args) ?? null;
        if (less === null) return false;
        state = less;
        count--;
      }
      return true;
    };
    const removeUpTo = (start: number): boolean => {
      if (agg.inverse === null || start >= to || start < from) return false;
      for (let j = from; j < start; j++) {
        if ((j & 1023) === 1023) checkForInterrupts();
        if (!remove(j)) return false;
      }
      return true;
    };
    return (i) => {
      const start = this.frameStart(i);
      const end = this.frameEnd(i);
      if (hasExclusion || end < to || (start !== from && !removeUpTo(start))) {
        restart();
        for (let j = start; j < end; j++) {
          if ((j & 1023) === 1023) checkForInterrupts();
          if (!hasExclusion || !this.excluded(i, j)) add(j);
        }
        value = agg.final(state, []);
      } else if (end !== to || start !== from) {
        // The frame has only grown at its end.
        for (let j = Math.max(to, start); j < end; j++) {
          if ((j & 1023) === 1023) checkForInterrupts();
          add(j);
        }
        value = agg.final(state, []);
      }
      from = start;
      to = end;
      return value;
    };
  }

  // ---------------------------------------------------------------- window functions

  private windowFunction(prosrc: string, input: CallInput): (i: number) => Datum {
    const fn = WINDOW_FUNCTIONS[prosrc];
    if (fn === undefined) throw notSupported(`window function ${prosrc}`);
    const { rows, groupOf, groupStart } = this;
    return fn({ rows, groupOf, groupStart, args: input.args, inFrame: (i, n) => this.inFrame(i, n) });
  }

  /** The n-th row of a row's frame (from 0; -1: the last one), as its number; -1: there is none. */
  private inFrame(i: number, n: number): number {
    const start = this.frameStart(i), end = this.frameEnd(i);
    if ((this.spec.plan.frameOptions & EXCLUSION) === 0) {
      const at = n < 0 ? end - 1 : start + n;
      return at >= start && at < end ? at : -1;
    }
    if (n < 0) {
      for (let j = end - 1; j >= start; j--) if (!this.excluded(i, j)) return j;
      return -1;
    }
    for (let j = start, left = n; j < end; j++) if (!this.excluded(i, j) && left-- === 0) return j;
    return -1;
  }
}

interface Partition {
  rows: PagedRows;
  groupOf: (i: number) => number;
  groupStart: readonly number[];
  args: ((row: Datum[]) => Datum)[];
  inFrame: (i: number, n: number) => number;
}

const shift = (p: Partition, direction: number) => (i: number): Datum => {
  const row = p.rows.at(i)!;
  const offset = p.args.length > 1 ? p.args[1]!(row) : 1;
  if (offset === null) return null;
  const at = i + direction * (offset as number);
  if (at >= 0 && at < p.rows.length) return p.args[0]!(p.rows.at(at)!);
  return p.args.length > 2 ? p.args[2]!(row) : null;
};

const rowOfFrame = (p: Partition, i: number, n: number): Datum => {
  const at = p.inFrame(i, n);
  return at < 0 ? null : p.args[0]!(p.rows.at(at)!);
};

/** Whether a function of language internal may have this as its prosrc. */
export const isWindowFunction = (prosrc: string): boolean => Object.hasOwn(WINDOW_FUNCTIONS, prosrc);

const WINDOW_FUNCTIONS: Record<string, (p: Partition) => (i: number) => Datum> = {
  window_row_number: () => (i) => i + 1,
  window_rank: (p) => (i) => p.groupStart[p.groupOf(i)]! + 1,
  window_dense_rank: (p) => (i) => p.groupOf(i) + 1,
  window_percent_rank: (p) => (i) => (p.rows.length <= 1 ? 0 : p.groupStart[p.groupOf(i)]! / (p.rows.length - 1)),
  window_cume_dist: (p) => (i) => p.groupStart[p.groupOf(i) + 1]! / p.rows.length,
  window_ntile: (p) => {
    const buckets = p.rows.length === 0 ? null : p.args[0]!(p.rows.at(0)!);
    if (buckets === null) return () => null;
    if ((buckets as number) <= 0) throw new PgError('invalid_argument_for_ntile_function', 'argument of ntile must be greater than zero');
    const size = Math.floor(p.rows.length / (buckets as number));
    const larger = p.rows.length % (buckets as number);
    return (i) => (i < larger * (size + 1) ? Math.floor(i / (size + 1)) + 1 : larger + Math.floor((i - larger * (size + 1)) / size) + 1);
  },
  window_lag: (p) => shift(p, -1), window_lag_with_offset: (p) => shift(p, -1), window_lag_with_offset_and_default: (p) => shift(p, -1),
  window_lead: (p) => shift(p, 1), window_lead_with_offset: (p) => shift(p, 1), window_lead_with_offset_and_default: (p) => shift(p, 1),
  window_first_value: (p) => (i) => rowOfFrame(p, i, 0),
  window_last_value: (p) => (i) => rowOfFrame(p, i, -1),
  window_nth_value: (p) => (i) => {
    const n = p.args[1]!(p.rows.at(i)!);
    if (n === null) return null;
    if ((n as number) <= 0) throw new PgError('invalid_argument_for_nth_value_function', 'argument of nth_value must be greater than zero');
    return rowOfFrame(p, i, (n as number) - 1);
  },
};
