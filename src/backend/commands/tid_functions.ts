// currtid2(relation, tid): where the latest version of a row is (PostgreSQL's tid.c). A row keeps its tid here, whatever
// becomes of it; what is left are the checks.
import { internalError, PgError } from '../../common/errors.ts';
import { requirePrivilege } from '../catalog/aclchk.ts';
import { getNamespaceName } from '../catalog/lsyscache.ts';
import * as ids from '../catalog/oids.ts';
import { openRelation } from '../catalog/relcache.ts';
import { estimateRelationSize } from '../catalog/relation_size.ts';
import type { Relation } from '../catalog/relation.ts';
import { ACL } from '../nodes/parsenodes.ts';
import type { Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { tidOut } from '../types/oid.ts';
import { TIDOID } from '../types/oids.ts';
import { relidOfText } from '../catalog/reg_names.ts';
import { refuseIndex } from './object_names.ts';

const CTID = -1;
const ROWS_TO_A_BLOCK = 65536;

function latestTid(oid: Oid, tid: number): number {
  const relation = openRelation(oid);
  refuseIndex(relation.kind, relation.name);
  requirePrivilege(ids.RelationRelationId, oid, ACL.SELECT);
  if (relation.kind === 'v') return latestTid(tableOfCtid(relation), tid);
  if (!'rStm'.includes(relation.kind)) {
    throw internalError(`cannot look at latest visible tid for relation "${getNamespaceName(relation.namespace)}.${relation.name}"`);
  }
  const blocks = relation.kind === 'S' ? 1 : estimateRelationSize(relation).blocks;
  const block = Math.floor((tid + 1) / ROWS_TO_A_BLOCK), offset = (tid + 1) % ROWS_TO_A_BLOCK;
  if (offset === 0 || block >= blocks) {
    throw new PgError('invalid_parameter_value', `tid ${tidOut(tid).replace(',', ', ')} is not valid for relation "${relation.name}"`);
  }
  return tid;
}

/** The table whose ctid is the view's column of that name (currtid_for_view). */
function tableOfCtid(view: Relation): Oid {
  const column = view.attributes.find((a) => !a.attisdropped && a.attname === 'ctid');
  if (column === undefined) throw internalError('currtid cannot handle views with no CTID');
  if (column.atttypid !== TIDOID) throw internalError('ctid isn\'t of type TID');
  const query = view.viewQuery;
  if (query === null) throw internalError('the view has no rules');
  const expr = query.targetList.find((t) => t.resno === column.attnum)?.expr;
  const rte = expr?.kind === 'Var' && expr.varattno === CTID ? query.rtable[expr.varno - 1] : undefined;
  if (rte === undefined || rte.relid === 0) throw internalError('currtid cannot handle this view');
  return rte.relid;
}

registerBuiltins({
  pure: {
    currtid_byrelname: (name: string, tid: number) => latestTid(relidOfText(name), tid),
  },
});
