// INSERT, UPDATE and DELETE on views (rewriteTargetView). So far refused, by name.
import { PgError } from '../../common/errors.ts';
import type { Relation } from '../catalog/relation.ts';
import type { Query } from '../nodes/parsenodes.ts';

export function rewriteViewTarget(query: Query, view: Relation): Query {
  throw new PgError('feature_not_supported', `${query.commandType.toUpperCase()} on view "${view.name}" is not supported`);
}
