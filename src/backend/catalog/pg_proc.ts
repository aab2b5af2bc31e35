// New functions and procedures (PostgreSQL's pg_proc.c): the row, or its replacement, and its dependencies.
import { PgError } from '../../common/errors.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import { nodeToString } from '../nodes/outfuncs.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { aclMembers, parseAcl } from './acl.ts';
import { mustBeOwner, objectOwnercheck, userDefaultAcl } from './aclchk.ts';
import { getNewOid } from './catalog.ts';
import { recordDependencyOnExpr } from './expr_references.ts';
import { formatProcedure } from './format_object.ts';
import { ddlHooks } from './ddl_hooks.ts';
import { catalogFind, catalogInsert, catalogUpdate } from './indexing.ts';
import { noteStatistics } from './pgstat_xact.ts';
import * as ids from './oids.ts';
import { deleteDependencyRecordsFor, objectAddress, recordDependencyOn } from './pg_depend.ts';
import { recordDependencyOnOwner, updateAclDependencies } from './pg_shdepend.ts';
import type { PgProc } from './rows.ts';
import { procsByName } from './syscache.ts';

export const FUNC_MAX_ARGS = 100;

type Given = 'proname' | 'pronamespace' | 'proowner' | 'prolang' | 'prorettype' | 'proargtypes' | 'prosrc';
type Computed = 'oid' | 'proargdefaults' | 'prosqlbody' | 'proacl' | 'pronargs' | 'pronargdefaults';

export type ProcSpec = Pick<PgProc, Given> & Partial<Omit<PgProc, Given | Computed>> & {
  defaults?: readonly Expr[];
  sqlBody?: readonly Query[] | Query | Expr | null;
  /** CREATE OR REPLACE. */
  replace?: boolean;
};

const KIND_NOUNS: Readonly<Record<string, string>> = { a: 'an aggregate function', f: 'a function', p: 'a procedure', w: 'a window function' };

/** Makes or replaces a function; its OID (ProcedureCreate). */
export function procedureCreate(spec: ProcSpec): Oid {
  const { defaults = [], sqlBody = null, replace = false, ...fields } = spec;
  if (spec.proargtypes.length > FUNC_MAX_ARGS) {
    throw new PgError('too_many_arguments', `functions cannot have more than ${FUNC_MAX_ARGS} arguments`);
  }
  const row: Omit<PgProc, 'oid' | 'proacl'> = {
    procost: 1, prorows: 0, provariadic: 0, prosupport: 0, prokind: 'f', prosecdef: false, proleakproof: false, proisstrict: false,
    proretset: false, provolatile: 'v', proparallel: 'u', proallargtypes: null, proargmodes: null, proargnames: null, protrftypes: null,
    probin: null, proconfig: null, ...fields, pronargs: spec.proargtypes.length, pronargdefaults: defaults.length,
    proargdefaults: defaults.length > 0 ? nodeToString(defaults as Expr[]) : null, prosqlbody: sqlBody ? nodeToString(sqlBody as Expr) : null,
  };
  const old = procsByName(spec.proname).find((p) => p.pronamespace === spec.pronamespace
    && p.proargtypes.length === spec.proargtypes.length && p.proargtypes.every((t, i) => t === spec.proargtypes[i]));
  let oid: Oid;
  if (old) {
    if (!replace) {
      throw new PgError('duplicate_function', `function "${spec.proname}" already exists with same argument types`);
    }
    checkReplacement(old, row, defaults);
    oid = old.oid;
    const [tuple] = catalogFind(ids.ProcedureRelationId, ids.PgProcOidIndexId, [oid]);
    // Owner and privileges stay as they are.
    catalogUpdate(ids.ProcedureRelationId, tuple!, { ...row, proowner: old.proowner, proacl: old.proacl });
    ddlHooks.created?.(ids.ProcedureRelationId, { ...row, oid: old.oid });
    deleteDependencyRecordsFor(objectAddress(ids.ProcedureRelationId, oid), true);
  } else {
    oid = getNewOid(ids.ProcedureRelationId);
    const acl = userDefaultAcl('f', spec.proowner, spec.pronamespace);
    noteStatistics('created', 'function', oid);
    catalogInsert(ids.ProcedureRelationId, { oid, ...row, proacl: acl });
    recordDependencyOnOwner(ids.ProcedureRelationId, oid, spec.proowner);
    if (acl) updateAclDependencies(ids.ProcedureRelationId, oid, 0, spec.proowner, [], aclMembers(parseAcl(acl)));
  }
  const self = objectAddress(ids.ProcedureRelationId, oid);
  recordDependencyOn(self, objectAddress(ids.NamespaceRelationId, spec.pronamespace), 'n');
  recordDependencyOn(self, objectAddress(ids.LanguageRelationId, spec.prolang), 'n');
  for (const type of new Set([spec.prorettype, ...(row.proallargtypes ?? row.proargtypes)])) {
    recordDependencyOn(self, objectAddress(ids.TypeRelationId, type), 'n');
  }
  if (row.prosupport !== 0) recordDependencyOn(self, objectAddress(ids.ProcedureRelationId, row.prosupport), 'n');
  if (defaults.length > 0) recordDependencyOnExpr(self, defaults, [], 'n');
  if (sqlBody) recordDependencyOnExpr(self, sqlBody, [], 'n');
  return oid;
}

/** CREATE OR REPLACE may not change what callers rely on. */
const inputNames = (proc: Pick<PgProc, 'proargmodes' | 'proargnames'>): string[] =>
  (proc.proargnames ?? []).filter((_name, i) => 'ibv'.includes(proc.proargmodes?.[i] ?? 'i'));

/** The columns that OUT parameters make, to compare; those of a single one are no row, except of a procedure. */
function outputs(proc: Pick<PgProc, 'proallargtypes' | 'proargmodes' | 'proargnames' | 'prokind'>): string {
  const list = (proc.proargmodes ?? []).flatMap((mode, i) => ('obt'.includes(mode) ? [`${proc.proargnames?.[i] ?? ''}/${proc.proallargtypes![i]!}`] : []));
  return list.length > 1 || proc.prokind === 'p' ? list.join() : '';
}

function checkReplacement(old: PgProc, row: Omit<PgProc, 'oid' | 'proacl'>, defaults: readonly Expr[]): void {
  if (!objectOwnercheck(ids.ProcedureRelationId, old.oid, session.currentUser)) throw mustBeOwner('function', old.proname);
  const drop = { hint: `Use DROP ${old.prokind === 'p' ? 'PROCEDURE' : old.prokind === 'a' ? 'AGGREGATE' : 'FUNCTION'} ${formatProcedure(old.oid)} first.` };
  if (old.prokind !== row.prokind) {
    throw new PgError('wrong_object_type', 'cannot change routine kind', { detail: `"${old.proname}" is ${KIND_NOUNS[old.prokind]}.` });
  }
  if (old.prorettype !== row.prorettype || old.proretset !== row.proretset) {
    throw new PgError('invalid_function_definition', old.prokind === 'p'
      ? 'cannot change whether a procedure has output parameters' : 'cannot change return type of existing function', drop);
  }
  if (row.prorettype === ids.RECORDOID && outputs(old) !== outputs(row)) {
    throw new PgError('invalid_function_definition', 'cannot change return type of existing function',
      { detail: 'Row type defined by OUT parameters is different.', ...drop });
  }
  const names = inputNames(row);
  inputNames(old).forEach((name, i) => {
    if (name !== '' && names[i] !== name) {
      throw new PgError('invalid_function_definition', `cannot change name of input parameter "${name}"`, drop);
    }
  });
  if (old.pronargdefaults > row.pronargdefaults) {
    throw new PgError('invalid_function_definition', 'cannot remove parameter defaults from existing function', drop);
  }
  // Those of polymorphic parameters may be of any type.
  const before = old.proargdefaults === null ? [] : stringToNode<Expr[]>(old.proargdefaults);
  if (before.some((expr, i) => exprType(expr) !== exprType(defaults[defaults.length - before.length + i]!))) {
    throw new PgError('invalid_function_definition', 'cannot change data type of existing parameter default value', drop);
  }
}
