// The SQL functions that show definitions of catalog objects as text, and what other floors use of the deparser.
import { setIndexExpressionDeparser } from '../../executor/index_keys.ts';
import { registerBuiltins } from '../../types/fmgr.ts';
import type { Oid } from '../../types/datum.ts';
import { relidOfText } from '../../catalog/reg_names.ts';
import { constraintdef as constraintText } from './constraintdef.ts';
import { PRETTY_INDENT, prettyFlags } from './context.ts';
import { deparseExpression, exprText } from './exprdef.ts';
import { functionArgDefault, functionArguments, functiondef, functionIdentityArguments, functionResult, functionSqlbody } from './functiondef.ts';
import { indexdef as indexText } from './indexdef.ts';
import { partitionConstraintdef, partkeydef } from './partitiondef.ts';
import { looksLikeFunction } from './simple_node.ts';
import { serialSequence, statisticsdef, statisticsExpressions, triggerdef } from './miscdef.ts';
import { ruledef, viewdef } from './viewdef.ts';

registerBuiltins({
  pure: {
    pg_get_viewdef: (oid: Oid) => viewdef(oid, PRETTY_INDENT),
    pg_get_viewdef_ext: (oid: Oid, pretty: boolean) => viewdef(oid, prettyFlags(pretty)),
    pg_get_viewdef_wrap: (oid: Oid, wrap: number) => viewdef(oid, prettyFlags(true), wrap),
    pg_get_viewdef_name: (name: string) => viewdef(relidOfText(name), PRETTY_INDENT),
    pg_get_viewdef_name_ext: (name: string, pretty: boolean) => viewdef(relidOfText(name), prettyFlags(pretty)),
    pg_get_ruledef: (oid: Oid) => ruledef(oid, PRETTY_INDENT),
    pg_get_ruledef_ext: (oid: Oid, pretty: boolean) => ruledef(oid, prettyFlags(pretty)),
    pg_get_triggerdef: (oid: Oid) => triggerdef(oid, false),
    pg_get_triggerdef_ext: (oid: Oid, pretty: boolean) => triggerdef(oid, pretty),
    pg_get_expr: (node: string, relid: Oid) => exprText(node, relid),
    pg_get_expr_ext: (node: string, relid: Oid, pretty: boolean) => exprText(node, relid, prettyFlags(pretty)),
    pg_get_indexdef: (oid: Oid) => indexText(oid, PRETTY_INDENT),
    pg_get_indexdef_ext: (oid: Oid, column: number, pretty: boolean) => indexText(oid, prettyFlags(pretty), { column, attributesOnly: column !== 0 }),
    pg_get_constraintdef: (oid: Oid) => constraintText(oid),
    pg_get_constraintdef_ext: (oid: Oid, pretty: boolean) => constraintText(oid, prettyFlags(pretty)),
    pg_get_statisticsobjdef: (oid: Oid) => statisticsdef(oid, false),
    pg_get_statisticsobjdef_columns: (oid: Oid) => statisticsdef(oid, true),
    pg_get_statisticsobjdef_expressions: (oid: Oid) => statisticsExpressions(oid),
    pg_get_serial_sequence: serialSequence,
    pg_get_functiondef: functiondef,
    pg_get_function_arguments: functionArguments,
    pg_get_function_identity_arguments: functionIdentityArguments,
    pg_get_function_result: functionResult,
    pg_get_function_arg_default: functionArgDefault,
    pg_get_function_sqlbody: functionSqlbody,
    pg_get_partkeydef: partkeydef,
    pg_get_partition_constraintdef: partitionConstraintdef,
  },
});

setIndexExpressionDeparser((info, n) => {
  const e = info.expressions[n]!;
  const text = deparseExpression(e, info.indrelid, true);
  return looksLikeFunction(e) ? text : `(${text})`;
});

// ---- for commands: text that is run again, with every name qualified

export { deparseExpression };

export const constraintdef = (oid: Oid, pretty: boolean, full = false): string | null => constraintText(oid, pretty ? prettyFlags(true) : 0, full);
export const indexdef = (oid: Oid, column: number, pretty: boolean): string | null => indexText(oid, pretty ? prettyFlags(true) : PRETTY_INDENT, { column, attributesOnly: column !== 0 });
