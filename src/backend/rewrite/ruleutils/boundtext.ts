// FOR VALUES ... and DEFAULT as SQL text.
import type { PartitionBound, RangeDatum } from '../../partitioning/partbounds.ts';
import { constantText } from './constant.ts';

/** (1, MINVALUE). */
export const rangeBoundText = (datums: readonly RangeDatum[]): string =>
  `(${datums.map((d) => (d === 'minvalue' ? 'MINVALUE' : d === 'maxvalue' ? 'MAXVALUE' : constantText(d, -1))).join(', ')})`;

export function boundText(b: PartitionBound): string {
  if (b.isDefault) return 'DEFAULT';
  switch (b.strategy) {
    case 'h': return `FOR VALUES WITH (modulus ${b.modulus}, remainder ${b.remainder})`;
    case 'l': return `FOR VALUES IN (${b.listdatums.map((c) => constantText(c, -1)).join(', ')})`;
    case 'r': return `FOR VALUES FROM ${rangeBoundText(b.lowerdatums)} TO ${rangeBoundText(b.upperdatums)}`;
  }
}
