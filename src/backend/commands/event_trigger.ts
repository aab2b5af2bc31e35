// CREATE, ALTER EVENT TRIGGER, and what their functions may ask (PostgreSQL's event_trigger.c). When they fire:
// event_trigger_fire.ts.
import { PgError } from '../../common/errors.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { catalogFind, catalogInsert, catalogUpdate } from '../catalog/indexing.ts';
import { identityOf, placeOf, typeOfObject } from '../catalog/object_identity.ts';
import { objectNamespace } from '../catalog/object_property.ts';
import * as ids from '../catalog/oids.ts';
import { objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import { quoteIdentifier } from '../catalog/quote.ts';
import { recordDependencyOnOwner } from '../catalog/pg_shdepend.ts';
import * as sys from '../catalog/syscache.ts';
import { lookupFuncName } from '../parser/parse_func.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { commandWords } from '../tcop/cmdtag.ts';
import type { UtilityTable } from '../tcop/utility.ts';
import { ArrayValue, recordMaker, RecordValue, type Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { EVENT_TRIGGEROID, TEXTARRAYOID, TEXTOID } from '../types/oids.ts';
import { session } from '../utils/session.ts';
import { commandState, protocolViolated, supportsEventTriggers, supportsTableRewrite } from './event_trigger_fire.ts';
import { requireObjectOwnership } from './object_names.ts';

const EVENTS = ['ddl_command_start', 'ddl_command_end', 'sql_drop', 'table_rewrite'];
const syntax = (message: string): PgError => new PgError('syntax_error', message);

function createEventTrigger(stmt: RawNode): void {
  const name = stmt['trigname'] as string, event = stmt['eventname'] as string;
  if (!session.isSuperuser) {
    throw new PgError('insufficient_privilege', `permission denied to create event trigger "${name}"`, { hint: 'Must be superuser to create an event trigger.' });
  }
  if (!EVENTS.includes(event)) throw syntax(`unrecognized event name "${event}"`);
  let tags: string[] | null = null;
  for (const e of (stmt['whenclause'] ?? []) as RawNode[]) {
    const variable = e['defname'] as string;
    if (variable !== 'tag') throw syntax(`unrecognized filter variable "${variable}"`);
    if (tags !== null) throw syntax(`filter variable "${variable}" specified more than once`);
    tags = e['arg'] as string[];
  }
  for (const tag of tags ?? []) checkTag(tag, event === 'table_rewrite');
  if (catalogFind(ids.EventTriggerRelationId, ids.PgEventTriggerEvtnameIndexId, [name]).length > 0) throw new PgError('duplicate_object', `event trigger "${name}" already exists`);
  const names = stmt['funcname'] as string[];
  const foid = lookupFuncName(names, [], false);
  if (sys.procByOid(foid)!.prorettype !== EVENT_TRIGGEROID) throw new PgError('invalid_object_definition', `function ${names.join('.')} must return type event_trigger`);
  const oid = getNewOid(ids.EventTriggerRelationId);
  catalogInsert(ids.EventTriggerRelationId, {
    oid, evtname: name, evtevent: event, evtowner: session.currentUser, evtfoid: foid, evtenabled: 'O', evttags: tags?.map((t) => t.toUpperCase()) ?? null,
  });
  recordDependencyOnOwner(ids.EventTriggerRelationId, oid, session.currentUser);
  recordDependencyOn(objectAddress(ids.EventTriggerRelationId, oid), objectAddress(ids.ProcedureRelationId, foid), 'n');
}

function checkTag(text: string, rewrite: boolean): void {
  const tag = text.toUpperCase();
  const known = supportsEventTriggers(tag) ? !/^(CREATE|ALTER|DROP) /.test(tag) || isCommand(tag) : isCommand(tag);
  if (!rewrite && !known) throw syntax(`filter value "${text}" not recognized for filter variable "tag"`);
  if (!(rewrite ? supportsTableRewrite(tag) : supportsEventTriggers(tag))) throw new PgError('feature_not_supported', `event triggers are not supported for ${text}`);
}
function isCommand(tag: string): boolean {
  const [, , object] = /^(CREATE|ALTER|DROP) (.*)$/.exec(tag) ?? [];
  return object === undefined ? commandWords.others.has(tag) : commandWords.objects.has(object) || commandWords.others.has(tag);
}

function find(name: string): { rowId: number; row: import('../catalog/rows.ts').PgEventTrigger } {
  const [tuple] = catalogFind(ids.EventTriggerRelationId, ids.PgEventTriggerEvtnameIndexId, [name]);
  if (tuple === undefined) throw new PgError('undefined_object', `event trigger "${name}" does not exist`);
  return tuple;
}

function alterEventTrigger(stmt: RawNode): void {
  const tuple = find(stmt['trigname'] as string);
  requireObjectOwnership(objectAddress(ids.EventTriggerRelationId, tuple.row.oid));
  catalogUpdate(ids.EventTriggerRelationId, tuple, { evtenabled: stmt['tgenabled'] as string });
}

export const EVENT_TRIGGER_COMMANDS: UtilityTable = {
  CreateEventTrigStmt: { run: createEventTrigger },
  AlterEventTrigStmt: { run: alterEventTrigger },
};

// ---- what the functions may ask

const droppedRecord = recordMaker([
  ['classid', ids.OIDOID], ['objid', ids.OIDOID], ['objsubid', ids.INT4OID], ['original', ids.BOOLOID], ['normal', ids.BOOLOID], ['is_temporary', ids.BOOLOID], ['object_type', TEXTOID],
  ['schema_name', TEXTOID], ['object_name', TEXTOID], ['object_identity', TEXTOID], ['address_names', TEXTARRAYOID], ['address_args', TEXTARRAYOID],
]);
const commandRecord = recordMaker([
  ['classid', ids.OIDOID], ['objid', ids.OIDOID], ['objsubid', ids.INT4OID], ['command_tag', TEXTOID], ['object_type', TEXTOID], ['schema_name', TEXTOID], ['object_identity', TEXTOID],
  ['in_extension', ids.BOOLOID], ['command', 32],
]);
const texts = (list: readonly string[]): ArrayValue => (list.length === 0 ? new ArrayValue(TEXTOID, [], [], []) : new ArrayValue(TEXTOID, [list.length], [1], [...list]));

registerBuiltins({
  set: {
    *pg_event_trigger_dropped_objects(): Generator<RecordValue> {
      const state = commandState();
      if (state === null || !state.inSqlDrop) throw protocolViolated('pg_event_trigger_dropped_objects()', 'a sql_drop');
      // The last one first, as PostgreSQL's list has them.
      for (const d of [...state.dropped].reverse()) {
        const { classId, objectId, objectSubId } = d.address;
        yield droppedRecord(classId, objectId, objectSubId, d.original, d.normal, d.temporary, d.type, d.schema, d.name, d.identity.identity, texts(d.identity.names), texts(d.identity.args));
      }
    },
    *pg_event_trigger_ddl_commands(): Generator<RecordValue> {
      const state = commandState();
      if (state === null) throw protocolViolated('pg_event_trigger_ddl_commands()', 'an');
      for (const { address, tag, kind } of state.commands) {
        if (address === null) {
          yield commandRecord(null, null, null, tag, kind!, null, null, false, null);
          continue;
        }
        const identity = identityOf(address);
        if (identity === undefined) continue; // dropped by the command, too
        const { schema } = placeOf(address);
        yield commandRecord(address.classId, address.objectId, address.objectSubId, tag, typeOfObject(address), schema, identity.identity, false, null);
      }
    },
  },
  pure: {
    pg_event_trigger_table_rewrite_oid: () => {
      const rewrite = commandState()?.rewrite ?? null;
      if (rewrite === null) throw protocolViolated('pg_event_trigger_table_rewrite_oid()', 'a table_rewrite');
      return rewrite.table;
    },
    pg_event_trigger_table_rewrite_reason: () => {
      const rewrite = commandState()?.rewrite ?? null;
      if (rewrite === null) throw protocolViolated('pg_event_trigger_table_rewrite_reason()', 'a table_rewrite');
      return rewrite.reason;
    },
    pg_identify_object: (classId: Oid, oid: Oid, subId: number) => {
      const address = objectAddress(classId, oid, subId), identity = identityOf(address);
      if (identity === undefined) return identifyRecord(typeOfObject(address), null, null, null);
      const { name } = placeOf(address);
      const schema = sys.namespaceByOid(objectNamespace(classId, oid))?.nspname ?? null; // a temporary one's own
      return identifyRecord(typeOfObject(address), schema === null ? null : quoteIdentifier(schema), name === null ? null : quoteIdentifier(name), identity.identity);
    },
    pg_identify_object_as_address: (classId: Oid, oid: Oid, subId: number) => {
      const address = objectAddress(classId, oid, subId), identity = identityOf(address);
      return identity === undefined ? addressRecord(typeOfObject(address), null, null) : addressRecord(typeOfObject(address), texts(identity.names), texts(identity.args));
    },
  },
});
const identifyRecord = recordMaker([['type', TEXTOID], ['schema', TEXTOID], ['name', TEXTOID], ['identity', TEXTOID]]);
const addressRecord = recordMaker([['type', TEXTOID], ['object_names', TEXTARRAYOID], ['object_args', TEXTARRAYOID]]);
