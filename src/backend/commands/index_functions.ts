// Functions over indexes of gin and brin (ginfast.c, brin.c): there is no pending list here, and every row has its entry at
// once, so there is nothing left to be done for them but to look whether they may be called.
import { PgError } from '../../common/errors.ts';
import { requireOwner } from '../catalog/aclchk.ts';
import * as ids from '../catalog/oids.ts';
import type { Relation } from '../catalog/relation.ts';
import { tryOpenRelation } from '../catalog/relcache.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';

function indexOf(oid: Oid, method: Oid, name: string): Relation {
  const index = tryOpenRelation(oid);
  if (index === undefined) throw new PgError('undefined_table', `could not open relation with OID ${oid}`);
  if (index.kind !== 'i' && index.kind !== 'I') throw new PgError('wrong_object_type', `"${index.name}" is not an index`);
  if (index.accessMethod !== method || index.kind === 'I') throw new PgError('wrong_object_type', `"${index.name}" is not a ${name} index`);
  requireOwner(ids.RelationRelationId, oid);
  return index;
}

function checkBlock(block: Datum): void {
  const number = Number(block);
  if (number < 0 || number > 0xffffffff) throw new PgError('numeric_value_out_of_range', `block number out of range: ${number}`);
}

registerBuiltins({
  pure: {
    gin_clean_pending_list: (index: Oid) => { indexOf(index, ids.GIN_AM_OID, 'GIN'); return 0; },
    brin_summarize_new_values: (index: Oid) => { indexOf(index, ids.BRIN_AM_OID, 'BRIN'); return 0; },
    brin_summarize_range: (index: Oid, block: Datum) => {
      checkBlock(block);
      indexOf(index, ids.BRIN_AM_OID, 'BRIN');
      return 0;
    },
    brin_desummarize_range: (index: Oid, block: Datum) => {
      checkBlock(block);
      indexOf(index, ids.BRIN_AM_OID, 'BRIN');
      return '';
    },
  },
});
