// From analyzed queries to those the planner gets (PostgreSQL's rewriteHandler.c): columns that INSERT and UPDATE leave to
// their defaults are filled in, rules of the target are applied, changes of a simple view become changes of its table,
// and views that are read give way to their queries.
import { PgError } from '../../common/errors.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Oid } from '../types/datum.ts';
import { expandViews } from './expand_views.ts';
import { fireRules, hasInsteadTrigger, hasRulesFor, matchRules, type ModifyEvent, type Product, type Rule } from './rules.ts';
import { defaultsToNulls, rewriteInsert, rewriteMerge, rewriteUpdate } from './target_list.ts';
import { cannotModifyView, rewriteViewTarget } from './updatable_views.ts';

/** Rewrites one analyzed query into those to be planned, in order. */
export function queryRewrite(query: Query): Query[] {
  if (query.commandType === 'utility') return [query];
  const products = rewriteQuery(query, 'original', [], 0, 0);
  // The tag is the original query's, else that of the last INSTEAD query of its kind.
  let tagged = -1;
  if (!products.some((p) => p.source === 'original')) {
    products.forEach((p, i) => {
      if (p.query.commandType === query.commandType && (p.source === 'instead' || p.source === 'qual_instead')) tagged = i;
    });
  }
  return products.map((p, i) => {
    const q = i === tagged ? { ...p.query, canSetTag: true } : p.query;
    const done = q.commandType === 'utility' ? q : expandViews(q, []);
    return p.source === 'original' ? done : { ...done, querySource: p.source };
  });
}

const isModify = (q: Query): boolean => q.commandType === 'insert' || q.commandType === 'update' || q.commandType === 'delete';

/** Applies the rules for INSERT, UPDATE and DELETE. `active`: the relations whose rules are being applied;
 * `inheritedEntries`: how many range table entries come from the query that this is a rule's action for; `inheritedCtes`: how many of
 * its WITH queries, the last ones, do and have been rewritten. */
function rewriteQuery(query: Query, source: Product['source'], active: readonly { relation: Oid; event: string }[], inheritedEntries: number, inheritedCtes: number): Product[] {
  let q = rewriteModifyingCtes(query, active, inheritedCtes);
  if (q.commandType === 'merge') {
    const relation = openRelation(q.rtable[q.resultRelation - 1]!.relid);
    if ((['insert', 'update', 'delete'] as const).some((e) => hasRulesFor(relation, e))) {
      throw new PgError('feature_not_supported', `cannot execute MERGE on relation "${relation.name}"`, { detail: 'MERGE is not supported for relations with rules.' });
    }
    q = rewriteMerge(q, relation);
  }
  if (!isModify(q)) return [{ query: q, source }];
  const event = q.commandType as ModifyEvent;
  const relation = openRelation(q.rtable[q.resultRelation - 1]!.relid);
  const rules = matchRules(relation, event);
  let unfilledDefaults = false;
  if (event === 'insert') ({ query: q, unfilledDefaults } = rewriteInsert(q, relation, givesWay(relation, event, rules), inheritedEntries));
  else if (event === 'update') q = rewriteUpdate(q, relation);
  const fired = fireRules(q, event, rules);
  let { products, instead, returning } = fired;
  const entries = q.rtable.length;
  let onTable: Product | null = null;
  if (unfilledDefaults) products = products.map((p) => ({ ...p, query: defaultsToNulls(p.query) }));
  if (!instead && relation.kind === 'v' && !hasInsteadTrigger(relation, event)) {
    if (fired.qualProduct !== null) throw cannotModifyView(relation, event, 'Views with conditional DO INSTEAD rules are not automatically updatable.');
    onTable = { query: rewriteViewTarget(q, relation), source };
    products = event === 'insert' ? [onTable, ...products] : [...products, onTable];
    instead = returning = true;
  }
  const rewritten: Product[] = [];
  if (products.length > 0) {
    if (active.some((a) => a.relation === relation.oid && a.event === event)) {
      throw new PgError('invalid_object_definition', `infinite recursion detected in rules for relation "${relation.name}"`);
    }
    const inner = [...active, { relation: relation.oid, event }];
    for (const p of products) {
      const ctes = p.query.cteList.filter((c) => q.cteList.some((own) => own.ctename === c.ctename)).length;
      rewritten.push(...rewriteQuery(p.query, p.source, inner, p === onTable ? inheritedEntries : entries, ctes));
    }
  }
  if ((instead || fired.qualProduct !== null) && q.returningList.length > 0 && !returning) {
    const word = event.toUpperCase();
    throw new PgError('feature_not_supported', `cannot perform ${word} RETURNING on relation "${relation.name}"`, {
      hint: `You need an unconditional ON ${word} DO INSTEAD rule with a RETURNING clause.`,
    });
  }
  if (q.onConflict !== null && onTable === null && (products.length > 0 || hasRulesFor(relation, 'update'))) {
    throw new PgError('feature_not_supported', 'INSERT with ON CONFLICT clause cannot be used with table that has INSERT or UPDATE rules');
  }
  if (!instead && relation.kind === 'v' && hasInsteadTrigger(relation, event) && (q.onConflict?.arbiterElems.length ?? 0) > 0) {
    throw new PgError('invalid_column_reference', 'there is no unique or exclusion constraint matching the ON CONFLICT specification'); // a view has no indexes
  }
  // INSERT comes before what rules add, so that they see the rows; UPDATE and DELETE come after, for the same reason.
  if (!instead) {
    const own = { query: fired.qualProduct ?? q, source };
    if (event === 'insert') rewritten.unshift(own);
    else rewritten.push(own);
  }
  if (q.cteList.length > 0 && rewritten.filter((p) => p.query.commandType !== 'utility').length > 1) {
    throw new PgError('feature_not_supported', 'WITH cannot be used in a query that is rewritten by rules into multiple queries');
  }
  return rewritten;
}

/** Whether the change of a view becomes that of its table, if it can. */
const givesWay = (relation: Relation, event: ModifyEvent, rules: readonly Rule[]): boolean => relation.kind === 'v' && !hasInsteadTrigger(relation, event)
  && !rules.some((r) => r.isInstead && r.qual === null);

function rewriteModifyingCtes(query: Query, active: readonly { relation: Oid; event: string }[], inherited: number): Query {
  const own = query.cteList.length - inherited;
  if (query.cteList.every((c) => c.ctequery.commandType === 'select')) return query;
  const refuse = (message: string): PgError => new PgError('feature_not_supported', `${message} rules are not supported for data-modifying statements in WITH`);
  return {
    ...query, cteList: query.cteList.map((cte, i) => {
      if (i >= own || cte.ctequery.commandType === 'select') return cte;
      const products = rewriteQuery(cte.ctequery, 'original', active, 0, 0);
      const [only] = products;
      if (only === undefined) throw refuse('DO INSTEAD NOTHING');
      if (products.length > 1) {
        if (products.some((p) => p.source === 'qual_instead')) throw refuse('conditional DO INSTEAD');
        if (products.some((p) => p.source === 'non_instead')) throw refuse('DO ALSO');
        throw refuse('multi-statement DO INSTEAD');
      }
      if (only.query.commandType === 'utility') throw refuse('DO INSTEAD NOTIFY');
      return { ...cte, ctequery: { ...only.query, canSetTag: false } };
    }),
  };
}
