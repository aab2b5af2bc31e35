// Trigger functions that come with the server.
import { PgError } from '../../common/errors.ts';
import { formRow } from '../access/row.ts';
import type { TriggerResult } from '../commands/trigger_data.ts';
import type { Datum } from '../types/datum.ts';
import { registerBuiltins, type FunctionContext } from '../types/fmgr.ts';

const violated = (message: string): PgError => new PgError('trigger_protocol_violated', message);

/** An UPDATE that would write the row as it is does nothing. */
function suppressRedundantUpdates({ trigger }: FunctionContext): TriggerResult {
  if (trigger === undefined) throw violated('suppress_redundant_updates_trigger: must be called as trigger');
  if (trigger.op !== 'UPDATE') throw violated('suppress_redundant_updates_trigger: must be called on update');
  if (trigger.when !== 'BEFORE') throw violated('suppress_redundant_updates_trigger: must be called before update');
  if (trigger.level !== 'ROW') throw violated('suppress_redundant_updates_trigger: must be called for each row');
  const { layout } = trigger.relation;
  return Buffer.compare(formRow(layout, trigger.oldRow!), formRow(layout, trigger.newRow!)) === 0 ? null : trigger.newRow;
}

registerBuiltins({ context: { suppress_redundant_updates_trigger: (context) => suppressRedundantUpdates(context) as unknown as Datum } });
