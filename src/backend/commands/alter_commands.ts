// ALTER TABLE and its like, joined: the files of subcommands register themselves when they are imported.
import type { UtilityTable } from '../tcop/utility.ts';
import './alter_column.ts';
import './alter_column_type.ts';
import './alter_constraint.ts';
import './alter_misc.ts';
import './attach_partition.ts';
import { alterObjectDepends } from './alter_depends.ts';
import { alterOwner } from './alter_owner.ts';
import { alterObjectSchema } from './alter_schema.ts';
import { alterTable } from './altertable.ts';
import { renameObject } from './rename.ts';

export const ALTER_COMMANDS: UtilityTable = {
  AlterTableStmt: { run: alterTable },
  RenameStmt: { run: renameObject },
  AlterObjectSchemaStmt: { run: alterObjectSchema },
  AlterObjectDependsStmt: { run: alterObjectDepends },
  AlterOwnerStmt: { run: alterOwner },
};
