// Every command of the server, joined: importing this file makes processUtility know them.
import { PgError } from '../../common/errors.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { createCommandTag } from '../tcop/cmdtag.ts';
import { processUtility, registerUtilities } from '../tcop/utility.ts';
import { utilityRunner } from '../executor/functions.ts';
import '../executor/sql_inline.ts';
import { DISCARD } from '../executor/dest.ts';
import { ALTER_COMMANDS } from './alter_commands.ts';
import './admin_functions.ts';
import { ASYNC_COMMANDS } from './async.ts';
import { CALL_COMMANDS } from './call.ts';
import { COMMENT_COMMANDS } from './comment.ts';
import { CONVERSION_COMMANDS } from './conversioncmds.ts';
import { COPY_COMMANDS } from './copy.ts';
import { CREATE_AS_COMMANDS } from './createas.ts';
import { DATABASE_COMMANDS } from './dbcommands.ts';
import { DEFINE_COMMANDS } from './define.ts';
import './xml_functions.ts';
import { TYPE_DEFINITIONS } from './define_type.ts';
import { DOMAIN_COMMANDS } from './domain.ts';
import { DROP_COMMANDS } from './dropcmds.ts';
import { EXTENSION_COMMANDS } from './extension.ts';
import { FOREIGN_COMMANDS } from './foreigncmds.ts';
import { FUNCTION_COMMANDS } from './functioncmds.ts';
import { EVENT_TRIGGER_COMMANDS } from './event_trigger.ts';
import { EXPLAIN_COMMANDS } from './explain.ts';
import { GRANT_COMMANDS } from './grant.ts';
import { INDEX_COMMANDS } from './indexcmds.ts';
import '../tsearch/headline.ts';
import '../tsearch/rank.ts';
import '../tsearch/to_tsany.ts';
import '../tsearch/ts_json.ts';
import '../tsearch/ts_rewrite.ts';
import '../tsearch/ts_triggers.ts';
import './genfile.ts';
import './large_objects.ts';
import './lock_functions.ts';
import './object_address.ts';
import './amvalidate.ts';
import './catalog_foreign_keys.ts';
import './system_views.ts';
import { LOCK_COMMANDS } from './lockcmds.ts';
import { OPCLASS_COMMANDS } from './opclasscmds.ts';
import { OWNED_COMMANDS } from './owned.ts';
import { POLICY_COMMANDS } from './policy.ts';
import { PORTAL_COMMANDS } from './portalcmds.ts';
import { PREPARE_COMMANDS } from './prepare.ts';
import { PUBLICATION_COMMANDS } from './publicationcmds.ts';
import { SUBSCRIPTION_COMMANDS } from './subscriptioncmds.ts';
import { STATISTICS_COMMANDS } from './statscmds.ts';
import { RULE_COMMANDS } from './rulecmds.ts';
import { SCHEMA_COMMANDS } from './schemacmds.ts';
import { SEQUENCE_COMMANDS } from './sequence.ts';
import './settings_functions.ts';
import '../executor/datum_size.ts';
import './size_functions.ts';
import './tid_functions.ts';
import './index_functions.ts';
import './stat_functions.ts';
import { TABLE_COMMANDS } from './tablecmds.ts';
import { TABLESPACE_COMMANDS } from './tablespace.ts';
import { TRANSACTION_COMMANDS } from './transaction.ts';
import { TRIGGER_COMMANDS } from './trigger.ts';
import { TSEARCH_COMMANDS } from './tsearchcmds.ts';
import { TYPE_COMMANDS } from './typecmds.ts';
import { USER_COMMANDS } from './user.ts';
import { VACUUM_COMMANDS } from './vacuum.ts';
import { CLUSTER_COMMANDS } from './cluster.ts';
import { REINDEX_COMMANDS } from './reindex.ts';
import { VARIABLE_COMMANDS } from './variable.ts';
import { VIEW_COMMANDS } from './view.ts';

registerUtilities({
  ...TRANSACTION_COMMANDS, ...PORTAL_COMMANDS, ...PREPARE_COMMANDS, ...VARIABLE_COMMANDS, ...COPY_COMMANDS, ...TABLE_COMMANDS, ...TABLESPACE_COMMANDS, ...INDEX_COMMANDS,
  ...SEQUENCE_COMMANDS, ...USER_COMMANDS, ...DROP_COMMANDS, ...VIEW_COMMANDS, ...CREATE_AS_COMMANDS, ...ALTER_COMMANDS,
  ...GRANT_COMMANDS, ...SCHEMA_COMMANDS, ...COMMENT_COMMANDS, ...EXPLAIN_COMMANDS, ...FUNCTION_COMMANDS, ...TYPE_COMMANDS, ...DOMAIN_COMMANDS,
  ...ASYNC_COMMANDS, ...LOCK_COMMANDS, ...DATABASE_COMMANDS, ...OWNED_COMMANDS, ...VACUUM_COMMANDS, ...REINDEX_COMMANDS, ...CLUSTER_COMMANDS,
  ...DEFINE_COMMANDS, ...EVENT_TRIGGER_COMMANDS, ...TYPE_DEFINITIONS, ...POLICY_COMMANDS, ...FOREIGN_COMMANDS, ...STATISTICS_COMMANDS, ...PUBLICATION_COMMANDS, ...SUBSCRIPTION_COMMANDS, ...OPCLASS_COMMANDS, ...CONVERSION_COMMANDS, ...TSEARCH_COMMANDS, ...RULE_COMMANDS, ...TRIGGER_COMMANDS, ...CALL_COMMANDS, ...EXTENSION_COMMANDS,
});

// Functions written in SQL may run commands, too.
utilityRunner.check = (stmt, readOnly) => {
  if (stmt.tag === 'CopyStmt' && stmt['filename'] === undefined) throw new PgError('feature_not_supported', 'cannot COPY to/from client in an SQL function');
  if (stmt.tag === 'TransactionStmt') throw new PgError('feature_not_supported', `${createCommandTag(stmt)} is not allowed in an SQL function`);
  if (readOnly) throw new PgError('feature_not_supported', `${createCommandTag(stmt)} is not allowed in a non-volatile function`);
};
utilityRunner.run = (query, text, params, parameters) => {
  processUtility(query.utilityStmt as RawNode, { text, statementText: text, topLevel: false, params, paramTypes: parameters.types, dest: DISCARD });
};
