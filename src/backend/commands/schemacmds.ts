// CREATE SCHEMA, with the elements it may contain (PostgreSQL's schemacmds.c and transformCreateSchemaStmt).
import { PgError } from '../../common/errors.ts';
import { aclcheckDatabase, notOwnerOrDenied } from '../catalog/aclchk.ts';
import { isMemberOfRole, withUser } from '../catalog/acl.ts';
import { isReservedName } from '../catalog/catalog.ts';
import { fetchSearchPath, withSearchPath } from '../catalog/namespace.ts';
import { namespaceCreate } from '../catalog/pg_namespace.ts';
import { authIdByOid, namespaceByName } from '../catalog/syscache.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { processUtility, type UtilityContext, type UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import { getBool } from '../utils/guc.ts';
import { session } from '../utils/session.ts';
import { rolespecOid, type RoleSpec } from './user.ts';

/** Elements in the order they are made: what refers to others comes after them. */
const ELEMENT_ORDER = ['CreateSeqStmt', 'CreateStmt', 'ViewStmt', 'IndexStmt', 'CreateTrigStmt', 'GrantStmt'];
/** The field in which an element names itself; GRANT names others. */
const OWN_NAME: Readonly<Record<string, string>> = { CreateSeqStmt: 'sequence', CreateStmt: 'relation', ViewStmt: 'view', IndexStmt: 'relation', CreateTrigStmt: 'relation' };

function createSchema(stmt: RawNode, context: UtilityContext): void {
  const spec = stmt['authrole'] as RoleSpec | undefined;
  const owner = spec === undefined ? session.currentUser : rolespecOid(spec);
  const name = (stmt['schemaname'] as string | undefined) ?? authIdByOid(owner)!.rolname;
  if (!aclcheckDatabase(session.databaseOid, session.currentUser, ACL.CREATE)) throw notOwnerOrDenied('database', session.databaseName);
  if (!isMemberOfRole(session.currentUser, owner)) throw new PgError('insufficient_privilege', `must be member of role "${authIdByOid(owner)!.rolname}"`);
  if (!getBool('allow_system_table_mods') && isReservedName(name)) throw new PgError('reserved_name', `unacceptable schema name "${name}"`, { detail: 'The prefix "pg_" is reserved for system schemas.' });
  if (stmt['if_not_exists'] && namespaceByName(name) !== undefined) return ddlNotice(`schema "${name}" already exists, skipping`, 'duplicate_schema');
  withUser(owner, () => {
    const namespace = namespaceCreate(name, owner);
    commandCounterIncrement();
    const elements = (stmt['schemaElts'] ?? []) as RawNode[];
    if (elements.length === 0) return;
    withSearchPath([namespace, ...fetchSearchPath(false)], () => {
      for (const element of inOrder(elements, name)) {
        processUtility(element, { ...context, topLevel: false, subcommand: true });
        commandCounterIncrement();
      }
    });
  });
}

function inOrder(elements: readonly RawNode[], schema: string): RawNode[] {
  for (const element of elements) {
    const own = element[OWN_NAME[element.tag] ?? ''] as { schemaname?: string } | undefined;
    if (own?.schemaname !== undefined && own.schemaname !== schema) {
      throw new PgError('invalid_schema_definition', `CREATE specifies a schema (${own.schemaname}) different from the one being created (${schema})`);
    }
  }
  const inSchema = (element: RawNode): RawNode => {
    const field = OWN_NAME[element.tag];
    return field === undefined ? element : { ...element, [field]: { ...(element[field] as RawNode), schemaname: schema } };
  };
  return ELEMENT_ORDER.flatMap((tag) => elements.filter((e) => e.tag === tag)).map(inSchema);
}

export const SCHEMA_COMMANDS: UtilityTable = {
  CreateSchemaStmt: { run: createSchema },
};
