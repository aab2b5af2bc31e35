// pg_get_viewdef and pg_get_ruledef: queries kept in pg_rewrite, as text.
import { internalError } from '../../../common/errors.ts';
import { quoteIdentifier } from '../../catalog/quote.ts';
import { openRelation } from '../../catalog/relcache.ts';
import type { PgRewrite } from '../../catalog/rows.ts';
import { lookup, rulesOf } from '../../catalog/syscache.ts';
import * as ids from '../../catalog/oids.ts';
import type { Query } from '../../nodes/parsenodes.ts';
import type { Expr } from '../../nodes/primnodes.ts';
import { stringToNode } from '../../nodes/readfuncs.ts';
import type { Oid } from '../../types/datum.ts';
import { DeparseContext, INDENT_STD, PRETTY_INDENT, PRETTY_SCHEMA, WRAP_COLUMN_DEFAULT } from './context.ts';
import { ruleExpr } from './expression.ts';
import { queryNamespace } from './names.ts';
import { qualifiedRelationName, relationName } from './object_names.ts';
import { queryText } from './query.ts';

const VIEW_SELECT_RULE = '_RETURN';
const EVENTS: Record<string, string> = { 1: 'SELECT', 2: 'UPDATE', 3: 'INSERT', 4: 'DELETE' };

const actionsOf = (rule: PgRewrite): Query[] => stringToNode<Query[]>(rule.ev_action);
const resultNames = (relid: Oid): string[] => openRelation(relid).attributes.map((a) => a.attname);

/** Null when the relation is no view. */
export function viewdef(relid: Oid, flags: number, wrapColumn = WRAP_COLUMN_DEFAULT): string | null {
  const rule = rulesOf(relid).find((r) => r.rulename === VIEW_SELECT_RULE);
  if (rule === undefined) return null;
  const [query, more] = actionsOf(rule);
  if (more !== undefined || rule.ev_type !== '1' || !rule.is_instead || rule.ev_qual !== '<>' || query!.commandType !== 'select') return null;
  return `${queryText(query!, { flags, wrapColumn, resultNames: resultNames(relid), rule: true })};`;
}

/** The query an action's OLD and NEW stand in: the SELECT of INSERT ... SELECT. */
function ruleQuery(action: Query): Query {
  if (action.commandType !== 'insert') return action;
  const select = action.rtable.find((rte) => rte.rtekind === 'subquery')?.subquery;
  const isOldNew = (q: Query): boolean => q.rtable[0]?.rtekind === 'relation' && q.rtable[0].eref.aliasname === 'old' && q.rtable[1]?.eref.aliasname === 'new';
  if (isOldNew(action)) return action;
  if (select === undefined || select === null || !isOldNew(select)) throw internalError('could not find rule placeholders');
  return select;
}

export function ruledef(oid: Oid, flags: number): string | null {
  const rule = lookup(ids.RewriteRelationId, ids.PgRewriteOidIndexId, oid);
  if (rule === undefined) return null;
  const actions = actionsOf(rule);
  const pretty = (flags & PRETTY_INDENT) !== 0;
  const table = (flags & PRETTY_SCHEMA) !== 0 ? relationName(rule.ev_class) : qualifiedRelationName(rule.ev_class);
  const isView = rule.ev_type === '1';
  let text = `CREATE RULE ${quoteIdentifier(rule.rulename)} AS${pretty ? '\n    ' : ' '}ON ${EVENTS[rule.ev_type]} TO ${table}`;
  if (rule.ev_qual !== '<>') {
    const query = ruleQuery(actions[0]!);
    const c = new DeparseContext([queryNamespace(query, [])], {
      flags, wrapColumn: WRAP_COLUMN_DEFAULT, varprefix: query.rtable.length !== 1, indentLevel: INDENT_STD,
    });
    ruleExpr(stringToNode<Expr>(rule.ev_qual), c);
    text += `${pretty ? '\n  ' : ''} WHERE ${c.text}`;
  }
  text += ` DO ${rule.is_instead ? 'INSTEAD ' : ''}`;
  const options = { flags, resultNames: isView ? resultNames(rule.ev_class) : null, rule: isView };
  if (actions.length === 1) return `${queryText(actions[0]!, { ...options, before: text })};`;
  text += '(';
  for (const q of actions) text = queryText(q, { ...options, before: text }) + (flags !== 0 ? ';\n' : '; ');
  return `${text});`;
}
