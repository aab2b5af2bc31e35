// Command tags: what CommandComplete says, by the raw statement's kind (PostgreSQL's CreateCommandTag).
import type { RawNode } from '../parser/raw_parser.ts';

/** ObjectType of DROP, ALTER, COMMENT, ... to the words in a command tag. */
const OBJECT_WORDS: Record<string, string> = {
  OBJECT_ACCESS_METHOD: 'ACCESS METHOD', OBJECT_AGGREGATE: 'AGGREGATE', OBJECT_CAST: 'CAST', OBJECT_COLLATION: 'COLLATION',
  OBJECT_COLUMN: 'TABLE', OBJECT_CONVERSION: 'CONVERSION', OBJECT_DATABASE: 'DATABASE', OBJECT_DOMAIN: 'DOMAIN',
  OBJECT_DOMCONSTRAINT: 'DOMAIN', OBJECT_EVENT_TRIGGER: 'EVENT TRIGGER', OBJECT_EXTENSION: 'EXTENSION', OBJECT_FDW: 'FOREIGN DATA WRAPPER',
  OBJECT_FOREIGN_SERVER: 'SERVER', OBJECT_FOREIGN_TABLE: 'FOREIGN TABLE', OBJECT_FUNCTION: 'FUNCTION', OBJECT_INDEX: 'INDEX',
  OBJECT_LANGUAGE: 'LANGUAGE', OBJECT_LARGEOBJECT: 'LARGE OBJECT', OBJECT_MATVIEW: 'MATERIALIZED VIEW', OBJECT_OPCLASS: 'OPERATOR CLASS',
  OBJECT_OPERATOR: 'OPERATOR', OBJECT_OPFAMILY: 'OPERATOR FAMILY', OBJECT_POLICY: 'POLICY', OBJECT_PROCEDURE: 'PROCEDURE',
  OBJECT_PUBLICATION: 'PUBLICATION', OBJECT_ROLE: 'ROLE', OBJECT_ROUTINE: 'ROUTINE', OBJECT_RULE: 'RULE', OBJECT_SCHEMA: 'SCHEMA',
  OBJECT_SEQUENCE: 'SEQUENCE', OBJECT_STATISTIC_EXT: 'STATISTICS', OBJECT_SUBSCRIPTION: 'SUBSCRIPTION', OBJECT_TABCONSTRAINT: 'TABLE',
  OBJECT_TABLE: 'TABLE', OBJECT_TABLESPACE: 'TABLESPACE', OBJECT_TRANSFORM: 'TRANSFORM', OBJECT_TRIGGER: 'TRIGGER',
  OBJECT_TSCONFIGURATION: 'TEXT SEARCH CONFIGURATION', OBJECT_TSDICTIONARY: 'TEXT SEARCH DICTIONARY', OBJECT_TSPARSER: 'TEXT SEARCH PARSER',
  OBJECT_TSTEMPLATE: 'TEXT SEARCH TEMPLATE', OBJECT_TYPE: 'TYPE', OBJECT_USER_MAPPING: 'USER MAPPING', OBJECT_VIEW: 'VIEW',
  OBJECT_ATTRIBUTE: 'TYPE',
};

type Raw = RawNode & Record<string, unknown>;
type TagOf = string | ((stmt: Raw) => string);

const TRANSACTION_TAGS: Record<string, string> = {
  TRANS_STMT_BEGIN: 'BEGIN', TRANS_STMT_START: 'START TRANSACTION', TRANS_STMT_COMMIT: 'COMMIT', TRANS_STMT_ROLLBACK: 'ROLLBACK',
  TRANS_STMT_ROLLBACK_TO: 'ROLLBACK', TRANS_STMT_SAVEPOINT: 'SAVEPOINT', TRANS_STMT_RELEASE: 'RELEASE',
  TRANS_STMT_PREPARE: 'PREPARE TRANSACTION', TRANS_STMT_COMMIT_PREPARED: 'COMMIT PREPARED', TRANS_STMT_ROLLBACK_PREPARED: 'ROLLBACK PREPARED',
};

const words = (field: string) => (stmt: Raw): string => OBJECT_WORDS[String(stmt[field])] ?? 'TABLE';

const DEFINE_KINDS: Record<string, string> = {
  OBJECT_AGGREGATE: 'AGGREGATE', OBJECT_OPERATOR: 'OPERATOR', OBJECT_TYPE: 'TYPE', OBJECT_TSPARSER: 'TEXT SEARCH PARSER',
  OBJECT_TSDICTIONARY: 'TEXT SEARCH DICTIONARY', OBJECT_TSTEMPLATE: 'TEXT SEARCH TEMPLATE',
  OBJECT_TSCONFIGURATION: 'TEXT SEARCH CONFIGURATION', OBJECT_COLLATION: 'COLLATION', OBJECT_ACCESS_METHOD: 'ACCESS METHOD',
};

/** INTO stands in the first SELECT of a set operation. */
function hasInto(stmt: Raw): boolean {
  let leftmost = stmt;
  while (leftmost['larg'] !== undefined) leftmost = leftmost['larg'] as Raw;
  return Boolean(leftmost['intoClause']);
}
const SELECT_INTO = (stmt: Raw): string => (hasInto(stmt) ? 'SELECT INTO' : 'SELECT');

/** One entry per raw statement kind. */
const TAGS: Record<string, TagOf> = {
  SelectStmt: SELECT_INTO, InsertStmt: 'INSERT', UpdateStmt: 'UPDATE', DeleteStmt: 'DELETE', MergeStmt: 'MERGE',
  TransactionStmt: (s) => TRANSACTION_TAGS[String(s['kind'])] ?? 'BEGIN',
  DeclareCursorStmt: 'DECLARE CURSOR',
  ClosePortalStmt: (s) => (s['portalname'] ? 'CLOSE CURSOR' : 'CLOSE CURSOR ALL'),
  FetchStmt: (s) => (s['ismove'] ? 'MOVE' : 'FETCH'),
  CreateDomainStmt: 'CREATE DOMAIN', CreateSchemaStmt: 'CREATE SCHEMA', CreateStmt: 'CREATE TABLE', CreateTableSpaceStmt: 'CREATE TABLESPACE',
  DropTableSpaceStmt: 'DROP TABLESPACE', AlterTableSpaceOptionsStmt: 'ALTER TABLESPACE', CreateExtensionStmt: 'CREATE EXTENSION',
  AlterExtensionStmt: 'ALTER EXTENSION', AlterExtensionContentsStmt: 'ALTER EXTENSION', CreateFdwStmt: 'CREATE FOREIGN DATA WRAPPER',
  AlterFdwStmt: 'ALTER FOREIGN DATA WRAPPER', CreateForeignServerStmt: 'CREATE SERVER', AlterForeignServerStmt: 'ALTER SERVER',
  CreateUserMappingStmt: 'CREATE USER MAPPING', AlterUserMappingStmt: 'ALTER USER MAPPING', DropUserMappingStmt: 'DROP USER MAPPING',
  CreateForeignTableStmt: 'CREATE FOREIGN TABLE', ImportForeignSchemaStmt: 'IMPORT FOREIGN SCHEMA',
  DropStmt: (s) => `DROP ${words('removeType')(s)}`, TruncateStmt: 'TRUNCATE TABLE', CommentStmt: 'COMMENT', SecLabelStmt: 'SECURITY LABEL',
  CopyStmt: 'COPY', RenameStmt: (s) => `ALTER ${words(s['renameType'] === 'OBJECT_COLUMN' ? 'relationType' : 'renameType')(s)}`,
  AlterObjectDependsStmt: (s) => `ALTER ${words('objectType')(s)}`, AlterObjectSchemaStmt: (s) => `ALTER ${words('objectType')(s)}`,
  AlterOwnerStmt: (s) => `ALTER ${words('objectType')(s)}`, AlterTableMoveAllStmt: (s) => `ALTER ${words('objtype')(s)}`,
  AlterTableStmt: (s) => `ALTER ${words('objtype')(s)}`, AlterDomainStmt: 'ALTER DOMAIN',
  AlterFunctionStmt: (s) => `ALTER ${words('objtype')(s)}`,
  GrantStmt: (s) => (s['is_grant'] ? 'GRANT' : 'REVOKE'), GrantRoleStmt: (s) => (s['is_grant'] ? 'GRANT ROLE' : 'REVOKE ROLE'),
  AlterDefaultPrivilegesStmt: 'ALTER DEFAULT PRIVILEGES',
  DefineStmt: (s) => `CREATE ${DEFINE_KINDS[String(s['kind'])] ?? 'TYPE'}`,
  CompositeTypeStmt: 'CREATE TYPE', CreateEnumStmt: 'CREATE TYPE', CreateRangeStmt: 'CREATE TYPE', AlterEnumStmt: 'ALTER TYPE',
  ViewStmt: 'CREATE VIEW', CreateFunctionStmt: (s) => (s['is_procedure'] ? 'CREATE PROCEDURE' : 'CREATE FUNCTION'), IndexStmt: 'CREATE INDEX',
  RuleStmt: 'CREATE RULE', CreateSeqStmt: 'CREATE SEQUENCE', AlterSeqStmt: 'ALTER SEQUENCE', DoStmt: 'DO', CreatedbStmt: 'CREATE DATABASE',
  AlterDatabaseStmt: 'ALTER DATABASE', AlterDatabaseRefreshCollStmt: 'ALTER DATABASE', AlterDatabaseSetStmt: 'ALTER DATABASE',
  DropdbStmt: 'DROP DATABASE', NotifyStmt: 'NOTIFY', ListenStmt: 'LISTEN', UnlistenStmt: 'UNLISTEN', LoadStmt: 'LOAD', CallStmt: 'CALL',
  ClusterStmt: 'CLUSTER', VacuumStmt: (s) => (s['is_vacuumcmd'] ? 'VACUUM' : 'ANALYZE'), ExplainStmt: 'EXPLAIN',
  CreateTableAsStmt: (s) => (s['objtype'] === 'OBJECT_MATVIEW' ? 'CREATE MATERIALIZED VIEW' : s['is_select_into'] ? 'SELECT INTO' : 'CREATE TABLE AS'),
  RefreshMatViewStmt: 'REFRESH MATERIALIZED VIEW', AlterSystemStmt: 'ALTER SYSTEM',
  VariableSetStmt: (s) => (s['kind'] === 'VAR_RESET' || s['kind'] === 'VAR_RESET_ALL' ? 'RESET' : 'SET'),
  VariableShowStmt: 'SHOW',
  DiscardStmt: (s) => ({ DISCARD_ALL: 'DISCARD ALL', DISCARD_PLANS: 'DISCARD PLANS', DISCARD_TEMP: 'DISCARD TEMP', DISCARD_SEQUENCES: 'DISCARD SEQUENCES' })[String(s['target'])] ?? 'DISCARD ALL',
  CreateTransformStmt: 'CREATE TRANSFORM', CreateTrigStmt: 'CREATE TRIGGER', CreateEventTrigStmt: 'CREATE EVENT TRIGGER',
  AlterEventTrigStmt: 'ALTER EVENT TRIGGER', CreatePLangStmt: 'CREATE LANGUAGE', CreateRoleStmt: 'CREATE ROLE', AlterRoleStmt: 'ALTER ROLE',
  AlterRoleSetStmt: 'ALTER ROLE', DropRoleStmt: 'DROP ROLE', DropOwnedStmt: 'DROP OWNED', ReassignOwnedStmt: 'REASSIGN OWNED', LockStmt: 'LOCK TABLE',
  ConstraintsSetStmt: 'SET CONSTRAINTS', CheckPointStmt: 'CHECKPOINT', ReindexStmt: 'REINDEX', CreateConversionStmt: 'CREATE CONVERSION',
  CreateCastStmt: 'CREATE CAST', CreateOpClassStmt: 'CREATE OPERATOR CLASS', CreateOpFamilyStmt: 'CREATE OPERATOR FAMILY',
  AlterOpFamilyStmt: 'ALTER OPERATOR FAMILY', AlterOperatorStmt: 'ALTER OPERATOR', AlterTypeStmt: 'ALTER TYPE',
  AlterTSDictionaryStmt: 'ALTER TEXT SEARCH DICTIONARY', AlterTSConfigurationStmt: 'ALTER TEXT SEARCH CONFIGURATION',
  CreatePolicyStmt: 'CREATE POLICY', AlterPolicyStmt: 'ALTER POLICY', CreateAmStmt: 'CREATE ACCESS METHOD', CreatePublicationStmt: 'CREATE PUBLICATION',
  AlterPublicationStmt: 'ALTER PUBLICATION', CreateSubscriptionStmt: 'CREATE SUBSCRIPTION', AlterSubscriptionStmt: 'ALTER SUBSCRIPTION',
  DropSubscriptionStmt: 'DROP SUBSCRIPTION', AlterCollationStmt: 'ALTER COLLATION', PrepareStmt: 'PREPARE', ExecuteStmt: 'EXECUTE',
  CreateStatsStmt: 'CREATE STATISTICS', AlterStatsStmt: 'ALTER STATISTICS',
  DeallocateStmt: (s) => (s['name'] ? 'DEALLOCATE' : 'DEALLOCATE ALL'),
};

/** The words of all tags: objects after CREATE, ALTER and DROP; whole tags. */
export const commandWords = {
  objects: new Set(Object.values(OBJECT_WORDS)),
  others: new Set([...Object.values(TAGS).filter((t) => typeof t === 'string'), 'GRANT', 'REVOKE', 'GRANT ROLE', 'REVOKE ROLE', 'SELECT INTO', 'CREATE TABLE AS', 'VACUUM', 'ANALYZE', 'SELECT', 'BEGIN', 'COMMIT', 'ROLLBACK', 'SET', 'RESET']),
};

/** The tag of a raw statement, without row counts. */
export function createCommandTag(stmt: RawNode): string {
  const tag = TAGS[stmt.tag];
  return tag === undefined ? '???' : typeof tag === 'string' ? tag : tag(stmt as Raw);
}

/** Statements that are planned rather than handed to processUtility. */
export function isOptimizable(stmt: RawNode): boolean {
  return stmt.tag === 'SelectStmt' ? !hasInto(stmt as Raw) : stmt.tag === 'InsertStmt' || stmt.tag === 'UpdateStmt' || stmt.tag === 'DeleteStmt' || stmt.tag === 'MergeStmt';
}

/** The completion tag with its row count, as the protocol wants it ("INSERT 0 5", "SELECT 3", "CREATE TABLE"). */
export function completionTag(tag: string, processed: number | null): string {
  if (processed === null) return tag;
  return tag === 'INSERT' ? `INSERT 0 ${processed}` : `${tag} ${processed}`;
}
