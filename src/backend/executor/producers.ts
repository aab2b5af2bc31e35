// Which function makes code for which plan node.
import { agg } from './node_agg.ts';
import { cteProducers } from './node_cte.ts';
import { gatherProducers } from './node_gather.ts';
import { hashJoin } from './node_hashjoin.ts';
import { joinProducers } from './node_join.ts';
import { lockRows } from './node_lockrows.ts';
import { modifyTable } from './node_modify.ts';
import { ginScan } from './node_ginscan.ts';
import { sampleScan } from './node_samplescan.ts';
import { scanProducers } from './node_scan.ts';
import { simpleProducers } from './node_simple.ts';
import { sortProducers } from './node_sort.ts';
import { windowAgg } from './node_window.ts';
import { internalError } from '../../common/errors.ts';
import type { Producer, Producers } from './plan_compiler.ts';
import { functionScan } from './node_function.ts';

/** Nodes that only their parent knows what to do with. */
const inner: Producer = () => {
  throw internalError('a bitmap node by itself');
};

export const producers: Producers = {
  BitmapIndexScan: inner, BitmapAnd: inner, BitmapOr: inner,
  ...simpleProducers, ...scanProducers, ...joinProducers, ...sortProducers, ...cteProducers, ...gatherProducers,
  Agg: agg, SampleScan: sampleScan, GinScan: ginScan, HashJoin: hashJoin, FunctionScan: functionScan, WindowAgg: windowAgg, ModifyTable: modifyTable, LockRows: lockRows,
};
