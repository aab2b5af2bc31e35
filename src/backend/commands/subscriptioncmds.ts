// CREATE, ALTER and DROP SUBSCRIPTION (PostgreSQL's subscriptioncmds.c), as far as they go without a publisher: nothing is
// ever copied or applied here, so what would connect is refused, and what only changes the catalog is done.
import { parseConninfo } from '../../interfaces/libpq/conninfo.ts';
import { ConnectionError } from '../../interfaces/libpq/errors.ts';
import { PgError, notSupported } from '../../common/errors.ts';
import { superuserArg } from '../catalog/acl.ts';
import { mustBeOwner, mustBeSuperuser, objectOwnercheck } from '../catalog/aclchk.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { catalogDelete, catalogFind, catalogInsert, catalogScanAll, catalogUpdate } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import { deleteComments } from '../catalog/pg_description.ts';
import { deleteSharedDependencyRecordsFor, recordDependencyOnOwner } from '../catalog/pg_shdepend.ts';
import type { PgSubscription } from '../catalog/rows.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { preventInTransactionBlock, type UtilityContext, type UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { lsnIn } from '../types/pg_lsn.ts';
import { setConfigOption } from '../utils/guc.ts';
import { sendWarning, session } from '../utils/session.ts';
import { rowMaker } from './set_results.ts';
import { defGetBoolean, defGetString, errorConflictingDefElem } from './def_elem.ts';

// ---- options

interface Options {
  given: Set<string>; connect: boolean; enabled: boolean; create_slot: boolean; slot_name: string | null; copy_data: boolean; refresh: boolean;
  binary: boolean; streaming: boolean; two_phase: boolean; disable_on_error: boolean; synchronous_commit: string | null; lsn: Datum;
}
const BOOLEANS = ['connect', 'enabled', 'create_slot', 'copy_data', 'refresh', 'binary', 'streaming', 'two_phase', 'disable_on_error'] as const;
const isBoolean = (name: string): name is (typeof BOOLEANS)[number] => (BOOLEANS as readonly string[]).includes(name);

const syntax = (message: string, fields = {}): PgError => new PgError('syntax_error', message, fields);
const exclude = (a: string, b: string): PgError => syntax(`${a} and ${b} are mutually exclusive options`);
const notReady = (message: string, fields = {}): PgError => new PgError('object_not_in_prerequisite_state', message, fields);

function validateSlotName(name: string): void {
  if (name === '') throw new PgError('invalid_name', 'replication slot name "" is too short');
  if (name.length > 63) throw new PgError('name_too_long', `replication slot name "${name}" is too long`);
  if (!/^[a-z0-9_]+$/.test(name)) {
    throw new PgError('invalid_name', `replication slot name "${name}" contains invalid character`, { hint: 'Replication slot names may only contain lower case letters, numbers, and the underscore character.' });
  }
}

function readOptions(list: readonly RawNode[], supported: readonly string[], context: UtilityContext): Options {
  const has = (name: string): boolean => supported.includes(name);
  const o: Options = {
    given: new Set(), connect: has('connect'), enabled: has('enabled'), create_slot: has('create_slot'), slot_name: null, copy_data: has('copy_data'), refresh: has('refresh'),
    binary: false, streaming: false, two_phase: false, disable_on_error: false, synchronous_commit: null, lsn: null,
  };
  for (const e of list) {
    const name = e['defname'] as string;
    if (!has(name)) throw syntax(`unrecognized subscription parameter: "${name}"`);
    if (o.given.has(name)) throw errorConflictingDefElem(e, context.text);
    o.given.add(name);
    if (isBoolean(name)) o[name] = defGetBoolean(e);
    else readText(o, name, defGetString(e));
  }
  if (has('connect') && !o.connect) {
    for (const name of ['enabled', 'create_slot', 'copy_data'] as const) {
      if (o[name] && o.given.has(name)) throw exclude('connect = false', `${name} = true`);
      o[name] = false;
    }
  }
  if (o.slot_name === null && o.given.has('slot_name')) {
    for (const name of ['enabled', 'create_slot'] as const) {
      if (!o[name]) continue;
      if (o.given.has(name)) throw exclude('slot_name = NONE', `${name} = true`);
      throw syntax(`subscription with slot_name = NONE must also set ${name} = false`);
    }
  }
  return o;
}

function readText(o: Options, name: string, text: string): void {
  if (name === 'slot_name') {
    if (text === 'none') return;
    validateSlotName(text);
    o.slot_name = text;
  } else if (name === 'synchronous_commit') {
    setConfigOption(name, text, session.isSuperuser ? 'superuser' : 'user', 'test', 'set', false);
    o.synchronous_commit = text;
  } else if (text !== 'none') { // lsn
    const lsn = lsnIn(text);
    if (BigInt(lsn) === 0n) throw new PgError('invalid_parameter_value', `invalid WAL location (LSN): ${text}`);
    o.lsn = lsn;
  }
}

/** walrcv_check_conninfo, and what of a connection can fail before it is tried. */
function checkConninfo(text: string): void {
  try {
    parseConninfo(text);
  } catch (error) {
    if (error instanceof ConnectionError) throw syntax(`invalid connection string syntax: ${error.message}\n`);
    throw error;
  }
}

function connect(conninfo: string): never {
  const { port } = parseConninfo(conninfo);
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65535)) throw new PgError('connection_failure', `could not connect to the publisher: invalid port number: "${port}"`);
  throw notSupported('a connection to a publisher');
}

function refuseTwice(publications: readonly string[]): void {
  const twice = publications.find((p, i) => publications.indexOf(p) !== i);
  if (twice !== undefined) throw new PgError('duplicate_object', `publication name "${twice}" used more than once`);
}

// ---- commands

const find = (name: string) => catalogFind(ids.SubscriptionRelationId, ids.PgSubscriptionSubnameIndexId, [session.databaseOid, name])[0];
const ZERO_LSN = 0;

function createSubscription(stmt: RawNode, context: UtilityContext): void {
  const name = stmt['subname'] as string, conninfo = (stmt['conninfo'] ?? '') as string, publications = stmt['publication'] as string[];
  const o = readOptions((stmt['options'] ?? []) as RawNode[],
    ['connect', 'enabled', 'create_slot', 'slot_name', 'copy_data', 'synchronous_commit', 'binary', 'streaming', 'two_phase', 'disable_on_error'], context);
  if (o.create_slot) preventInTransactionBlock(context, 'CREATE SUBSCRIPTION ... WITH (create_slot = true)');
  mustBeSuperuser('create subscriptions');
  if (find(name) !== undefined) throw new PgError('duplicate_object', `subscription "${name}" already exists`);
  checkConninfo(conninfo);
  refuseTwice(publications);
  if (o.connect) connect(conninfo);
  const oid = getNewOid(ids.SubscriptionRelationId);
  catalogInsert(ids.SubscriptionRelationId, {
    oid, subdbid: session.databaseOid, subskiplsn: ZERO_LSN, subname: name, subowner: session.currentUser, subenabled: o.enabled, subbinary: o.binary, substream: o.streaming,
    subtwophasestate: o.two_phase ? 'p' : 'd', subdisableonerr: o.disable_on_error, subconninfo: conninfo, subslotname: o.given.has('slot_name') ? o.slot_name : name,
    subsynccommit: o.synchronous_commit ?? 'off', subpublications: publications,
  });
  recordDependencyOnOwner(ids.SubscriptionRelationId, oid, session.currentUser);
  sendWarning('warning', 'tables were not subscribed, you will have to run ALTER SUBSCRIPTION ... REFRESH PUBLICATION to subscribe the tables');
}

/** What SET, ADD and DROP PUBLICATION leave (merge_publications). */
function changedPublications(old: PgSubscription, kind: string, names: readonly string[]): string[] {
  refuseTwice(names);
  if (kind === 'SET_PUBLICATION') return [...names];
  for (const n of names) {
    const there = old.subpublications.includes(n);
    if (kind === 'ADD_PUBLICATION' && there) throw new PgError('duplicate_object', `publication "${n}" is already in subscription "${old.subname}"`);
    if (kind === 'DROP_PUBLICATION' && !there) throw new PgError('invalid_object_definition', `publication "${n}" is not in subscription "${old.subname}"`);
  }
  const list = kind === 'ADD_PUBLICATION' ? [...old.subpublications, ...names] : old.subpublications.filter((p) => !names.includes(p));
  if (list.length === 0) throw new PgError('invalid_object_definition', 'cannot drop all the publications from a subscription');
  return list;
}

function alterSubscription(stmt: RawNode, context: UtilityContext): void {
  const name = stmt['subname'] as string;
  const tuple = find(name);
  if (tuple === undefined) throw new PgError('undefined_object', `subscription "${name}" does not exist`);
  const old = tuple.row;
  if (!objectOwnercheck(ids.SubscriptionRelationId, old.oid, session.currentUser)) throw mustBeOwner('subscription', name);
  const kind = (stmt['kind'] as string).replace('ALTER_SUBSCRIPTION_', '');
  const options = (...supported: string[]): Options => readOptions((stmt['options'] ?? []) as RawNode[], supported, context);
  switch (kind) {
    case 'OPTIONS': {
      const o = options('slot_name', 'synchronous_commit', 'binary', 'streaming', 'disable_on_error');
      if (o.given.has('slot_name') && o.slot_name === null && old.subenabled) throw notReady('cannot set slot_name = NONE for enabled subscription');
      catalogUpdate(ids.SubscriptionRelationId, tuple, {
        ...(o.given.has('slot_name') ? { subslotname: o.slot_name } : {}), ...(o.synchronous_commit !== null ? { subsynccommit: o.synchronous_commit } : {}),
        ...(o.given.has('binary') ? { subbinary: o.binary } : {}), ...(o.given.has('streaming') ? { substream: o.streaming } : {}),
        ...(o.given.has('disable_on_error') ? { subdisableonerr: o.disable_on_error } : {}),
      });
      break;
    }
    case 'ENABLED': {
      const { enabled } = options('enabled');
      if (enabled && old.subslotname === null) throw notReady('cannot enable subscription that does not have a slot name');
      catalogUpdate(ids.SubscriptionRelationId, tuple, { subenabled: enabled });
      break;
    }
    case 'CONNECTION':
      checkConninfo((stmt['conninfo'] ?? '') as string);
      catalogUpdate(ids.SubscriptionRelationId, tuple, { subconninfo: (stmt['conninfo'] ?? '') as string });
      break;
    case 'SET_PUBLICATION': case 'ADD_PUBLICATION': case 'DROP_PUBLICATION': {
      const { refresh } = options('copy_data', 'refresh');
      const list = changedPublications(old, kind, stmt['publication'] as string[]);
      if (refresh) refreshAfter(old, kind.replace('_', ' '), context);
      catalogUpdate(ids.SubscriptionRelationId, tuple, { subpublications: list });
      break;
    }
    case 'REFRESH':
      if (!old.subenabled) throw notReady('ALTER SUBSCRIPTION ... REFRESH is not allowed for disabled subscriptions');
      options('copy_data');
      preventInTransactionBlock(context, 'ALTER SUBSCRIPTION ... REFRESH');
      connect(old.subconninfo);
      break;
    case 'SKIP': {
      const o = options('lsn');
      mustBeSuperuser('skip transaction');
      if (o.given.has('lsn')) catalogUpdate(ids.SubscriptionRelationId, tuple, { subskiplsn: o.lsn ?? ZERO_LSN });
      break;
    }
    default: throw new PgError('internal_error', `unrecognized ALTER SUBSCRIPTION kind ${kind}`);
  }
  commandCounterIncrement();
}

function refreshAfter(subscription: PgSubscription, what: string, context: UtilityContext): never {
  if (!subscription.subenabled) {
    const command = `ALTER SUBSCRIPTION ... ${what} ... WITH (refresh = false)`;
    throw notReady('ALTER SUBSCRIPTION with refresh is not allowed for disabled subscriptions', { hint: what.startsWith('SET') ? `Use ${command}.` : `Use ${command} instead.` });
  }
  preventInTransactionBlock(context, 'ALTER SUBSCRIPTION with refresh');
  connect(subscription.subconninfo);
}

function dropSubscription(stmt: RawNode, context: UtilityContext): void {
  const name = stmt['subname'] as string;
  const tuple = find(name);
  if (tuple === undefined) {
    if (!stmt['missing_ok']) throw new PgError('undefined_object', `subscription "${name}" does not exist`);
    return ddlNotice(`subscription "${name}" does not exist, skipping`);
  }
  const { oid, subslotname } = tuple.row;
  if (!objectOwnercheck(ids.SubscriptionRelationId, oid, session.currentUser)) throw mustBeOwner('subscription', name);
  if (subslotname !== null) {
    preventInTransactionBlock(context, 'DROP SUBSCRIPTION');
    throw new PgError('connection_failure', `could not connect to publisher when attempting to drop replication slot "${subslotname}": connections to publishers are not supported`, {
      hint: 'Use ALTER SUBSCRIPTION ... DISABLE to disable the subscription, and then use ALTER SUBSCRIPTION ... SET (slot_name = NONE) to disassociate it from the slot.',
    });
  }
  catalogDelete(ids.SubscriptionRelationId, tuple);
  deleteSharedDependencyRecordsFor(ids.SubscriptionRelationId, oid);
  deleteComments(oid, ids.SubscriptionRelationId, 0);
}

/** ALTER SUBSCRIPTION ... OWNER TO. */
export function checkSubscriptionOwner(oid: Oid, owner: Oid): void {
  if (superuserArg(owner)) return;
  const [tuple] = catalogFind(ids.SubscriptionRelationId, ids.PgSubscriptionOidIndexId, [oid]);
  throw new PgError('insufficient_privilege', `permission denied to change owner of subscription "${tuple!.row.subname}"`, { hint: 'The owner of a subscription must be a superuser.' });
}

export const SUBSCRIPTION_COMMANDS: UtilityTable = {
  CreateSubscriptionStmt: { run: createSubscription },
  AlterSubscriptionStmt: { run: alterSubscription },
  DropSubscriptionStmt: { run: dropSubscription },
};

registerBuiltins({
  context: {
    pg_stat_get_replication_slot: (c, name: string) => rowMaker(c).named({
      slot_name: name, spill_txns: 0, spill_count: 0, spill_bytes: 0, stream_txns: 0, stream_count: 0, stream_bytes: 0, total_txns: 0, total_bytes: 0,
    }),
    pg_stat_get_subscription_stats: (c, oid: Oid) => rowMaker(c).named({ subid: oid, apply_error_count: 0, sync_error_count: 0 }),
  },
  pure: {
    pg_stat_reset_subscription_stats: (oid: Oid | null) => {
      if (oid === 0) throw new PgError('invalid_parameter_value', 'invalid subscription OID 0');
      return '';
    },
  },
  set: {
    * pg_stat_get_subscription(c, oid: Oid | null) {
      const { named } = rowMaker(c);
      for (const s of catalogScanAll(ids.SubscriptionRelationId)) if (oid === null || s.oid === oid) yield named({ subid: s.oid });
    },
  },
});
