// \d without a name, \dt \dv \di \ds \dm \dE: lists of relations; \d with one: which relations it means.
import { psqlExec } from './common.ts';
import { list, Where } from './describe.ts';
import { describeOne } from './describe_table.ts';
import { logError } from './output.ts';
import { pset } from './settings.ts';

export async function listRelations(kinds: string, pattern: string | null, verbose: boolean, system: boolean): Promise<boolean> {
  const indexes = kinds.includes('i');
  let tables = kinds.includes('t'), views = kinds.includes('v'), materialized = kinds.includes('m'), sequences = kinds.includes('s'), foreign = kinds.includes('E');
  if (!tables && !views && !materialized && !indexes && !sequences && !foreign) tables = views = materialized = sequences = foreign = true;
  const methods = !pset.hideTableAm && (tables || materialized || indexes);
  let sql = `SELECT n.nspname as "Schema",
  c.relname as "Name",
  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' END as "Type",
  pg_catalog.pg_get_userbyid(c.relowner) as "Owner"`;
  if (indexes) sql += ',\n  c2.relname as "Table"';
  if (verbose) {
    sql += ',\n  CASE c.relpersistence WHEN \'p\' THEN \'permanent\' WHEN \'t\' THEN \'temporary\' WHEN \'u\' THEN \'unlogged\' END as "Persistence"';
    if (methods) sql += ',\n  am.amname as "Access method"';
    sql += ',\n  pg_catalog.pg_size_pretty(pg_catalog.pg_table_size(c.oid)) as "Size",\n  pg_catalog.obj_description(c.oid, \'pg_class\') as "Description"';
  }
  sql += '\nFROM pg_catalog.pg_class c\n     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace';
  if (methods) sql += '\n     LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam';
  if (indexes) sql += '\n     LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid\n     LEFT JOIN pg_catalog.pg_class c2 ON i.indrelid = c2.oid';
  const all = system || pattern !== null;
  sql += `\nWHERE c.relkind IN (${tables ? '\'r\',\'p\',' : ''}${tables && all ? '\'t\',' : ''}${views ? '\'v\',' : ''}${materialized ? '\'m\',' : ''}${indexes ? '\'i\',\'I\',' : ''}${sequences ? '\'S\',' : ''}${all ? '\'s\',' : ''}${foreign ? '\'f\',' : ''}'')\n`;
  if (!all) sql += '      AND n.nspname <> \'pg_catalog\'\n      AND n.nspname !~ \'^pg_toast\'\n      AND n.nspname <> \'information_schema\'\n';
  const where = new Where(true);
  if (!where.pattern(pattern, { schema: 'n.nspname', name: 'c.relname', visible: 'pg_catalog.pg_table_is_visible(c.oid)' })) return false;
  return list(`${sql}${where.text}ORDER BY 1,2;`, 'List of relations', { silentWhenEmpty: pattern === null ? 'Did not find any relations.' : `Did not find any relation named "${pattern}".` });
}

export async function describeRelations(pattern: string, verbose: boolean, system: boolean): Promise<boolean> {
  const where = new Where();
  if (!system && pattern === null) where.add('n.nspname <> \'pg_catalog\'\n      AND n.nspname <> \'information_schema\'');
  if (!where.pattern(pattern, { schema: 'n.nspname', name: 'c.relname', visible: 'pg_catalog.pg_table_is_visible(c.oid)' })) return false;
  const found = await psqlExec(`SELECT c.oid,
  n.nspname,
  c.relname
FROM pg_catalog.pg_class c
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
${where.text}ORDER BY 2, 3;`);
  if (found === null) return false;
  if (found.rows.length === 0) {
    if (!pset.quiet) logError(`Did not find any relation named "${pattern}".`);
    return false;
  }
  for (const [oid, schema, name] of found.rows) if (!await describeOne(schema!, name!, oid!, verbose)) return false;
  return true;
}
