// TABLESAMPLE (nodeSamplescan.c, bernoulli.c, system.c). BERNOULLI decides for each row, SYSTEM for each page, by a hash of
// the seed with the row's or the page's number. Our blocks are not PostgreSQL's pages: a page is here what would fill one
// of 8 kB, up to the table's fillfactor, with the rows as a scan shows them. So the same seed over the same rows gives
// the same sample, mostly the one that PostgreSQL gives.
import { PgError } from '../../common/errors.ts';
import { port } from '../../port/port.ts';
import { rowLength, type RowLayout } from '../access/row.ts';
import { beginScan } from '../access/table.ts';
import type { Relation } from '../catalog/relation.ts';
import type { SampleScan } from '../nodes/plannodes.ts';
import { typeHash } from '../types/hash.ts';
import { hashBytes } from '../types/hash_bytes.ts';
import { FLOAT8OID } from '../types/oids.ts';
import { genExpr } from './expr_codegen.ts';
import { functionInfo } from './fmgr_info.ts';
import { produceBlockRows, produceBlocks, produceEpqRow, scannedRelation } from './node_scan.ts';
import type { Producer } from './plan_compiler.ts';
import { tableColumns } from './scan_columns.ts';

const PAGE_BYTES = 8192, PAGE_HEADER_BYTES = 24, ITEM_BYTES = 4;
/** A heap tuple's header is longer than that of our rows. */
const MORE_HEADER_BYTES = 18;

class Sampler {
  private readonly cutoff: number;
  private readonly input: Buffer;
  private readonly words: DataView;
  private readonly bySystem: boolean;
  private readonly layout: RowLayout;
  private readonly reservedBytes: number;
  private page = -1;
  private freeBytes = 0;
  private item = 0;
  private pageTaken = false;

  constructor(rel: Relation, bySystem: boolean, percent: number | null, repeatable: number | null, isRepeatable: boolean) {
    if (percent === null) throw new PgError('invalid_tablesample_argument', 'TABLESAMPLE parameter cannot be null');
    if (isRepeatable && repeatable === null) throw new PgError('invalid_tablesample_repeat', 'TABLESAMPLE REPEATABLE parameter cannot be null');
    if (!(percent >= 0 && percent <= 100)) throw new PgError('invalid_tablesample_argument', 'sample percentage must be between 0 and 100');
    this.cutoff = Math.round(4294967296 * percent / 100);
    this.bySystem = bySystem;
    this.layout = rel.layout;
    this.reservedBytes = Math.trunc(PAGE_BYTES * (100 - Number(rel.options.get('fillfactor') ?? 100)) / 100);
    this.input = Buffer.alloc(bySystem ? 8 : 12);
    this.words = new DataView(this.input.buffer, this.input.byteOffset, this.input.length);
    this.words.setUint32(bySystem ? 4 : 8, repeatable === null ? port.randomInt() >>> 0 : typeHash(FLOAT8OID).hash(repeatable), true);
  }

  /** Whether the scan's next row, which stands here, is of the sample. */
  take(view: DataView, offset: number): boolean {
    const bytes = (rowLength(view, offset, this.layout) + MORE_HEADER_BYTES + 7) & ~7;
    if (bytes + this.reservedBytes + ITEM_BYTES > this.freeBytes || this.page < 0) {
      this.page++;
      this.item = 0;
      this.freeBytes = PAGE_BYTES - PAGE_HEADER_BYTES;
      this.words.setUint32(0, this.page, true);
      if (this.bySystem) this.pageTaken = this.chosen();
    }
    this.freeBytes -= bytes + ITEM_BYTES;
    this.item++;
    if (this.bySystem) return this.pageTaken;
    this.words.setUint32(4, this.item, true);
    return this.chosen();
  }

  private chosen(): boolean {
    return hashBytes(this.input) >>> 0 < this.cutoff;
  }
}

export const sampleScan: Producer<SampleScan> = (pc, plan, consume) => {
  if (produceEpqRow(pc, plan, [], consume)) return;
  const { g } = pc;
  const rel = scannedRelation(pc, plan.scanrelid);
  const { tsmhandler, args, repeatable } = plan.tablesample;
  const cx = pc.context({});
  const bySystem = functionInfo(tsmhandler).prosrc === 'tsm_system_handler';
  const seed = repeatable === null ? 'null' : genExpr(g, repeatable, cx).code;
  const sampler = g.local(`new (${g.konst(Sampler)})(${g.konst(rel)}, ${bySystem}, ${genExpr(g, args[0]!, cx).code}, ${seed}, ${repeatable !== null})`);
  const scan = g.local(`${g.konst(beginScan)}(${g.konst(rel)}, rt.cid)`);
  produceBlocks(pc, scan, (block) => {
    produceBlockRows(pc, scan, block, `${scan}.slotCount`, (_slot, place, skip) => {
      g.emit(`if (!${sampler}.take(${place.view}, ${place.offset})) ${skip}`);
      pc.filterAndProject(plan, pc.context({ scan: tableColumns(rel, place) }), skip, consume);
    });
  });
};
