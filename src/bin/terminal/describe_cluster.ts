// \l \du \dn \db \dconfig \drds \ddp \dp \dL \dA: what belongs to the whole cluster, and rights.
import { psqlExec, showTable } from './common.ts';
import { acl, list, Where } from './describe.ts';
import { logError } from './output.ts';
import { pset } from './settings.ts';

export async function listDatabases(pattern: string | null, verbose: boolean): Promise<boolean> {
  let sql = `SELECT d.datname as "Name",
       pg_catalog.pg_get_userbyid(d.datdba) as "Owner",
       pg_catalog.pg_encoding_to_char(d.encoding) as "Encoding",
       d.datcollate as "Collate",
       d.datctype as "Ctype",
       d.daticulocale as "ICU Locale",
       CASE d.datlocprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' END AS "Locale Provider",
       ${acl('d.datacl')}`;
  if (verbose) {
    sql += `,
       CASE WHEN pg_catalog.has_database_privilege(d.datname, 'CONNECT')
            THEN pg_catalog.pg_size_pretty(pg_catalog.pg_database_size(d.datname))
            ELSE 'No Access'
       END as "Size",
       t.spcname as "Tablespace",
       pg_catalog.shobj_description(d.oid, 'pg_database') as "Description"`;
  }
  sql += '\nFROM pg_catalog.pg_database d\n';
  if (verbose) sql += '  JOIN pg_catalog.pg_tablespace t on d.dattablespace = t.oid\n';
  const where = new Where();
  if (pattern !== null && !where.pattern(pattern, { name: 'd.datname' })) return false;
  return list(`${sql}${where.text}ORDER BY 1;`, 'List of databases');
}

export async function listTablespaces(pattern: string | null, verbose: boolean): Promise<boolean> {
  let sql = 'SELECT spcname AS "Name",\n  pg_catalog.pg_get_userbyid(spcowner) AS "Owner",\n  pg_catalog.pg_tablespace_location(oid) AS "Location"';
  if (verbose) {
    sql += `,\n  ${acl('spcacl')},\n  spcoptions AS "Options",\n  pg_catalog.pg_size_pretty(pg_catalog.pg_tablespace_size(oid)) AS "Size",\n  pg_catalog.shobj_description(oid, 'pg_tablespace') AS "Description"`;
  }
  const where = new Where();
  if (!where.pattern(pattern, { name: 'spcname' })) return false;
  return list(`${sql}\nFROM pg_catalog.pg_tablespace\n${where.text}ORDER BY 1;`, 'List of tablespaces');
}

export async function listSchemas(pattern: string | null, verbose: boolean, system: boolean): Promise<boolean> {
  let sql = 'SELECT n.nspname AS "Name",\n  pg_catalog.pg_get_userbyid(n.nspowner) AS "Owner"';
  if (verbose) sql += `,\n  ${acl('n.nspacl')},\n  pg_catalog.obj_description(n.oid, 'pg_namespace') AS "Description"`;
  sql += '\nFROM pg_catalog.pg_namespace n\n';
  const hide = !system && pattern === null;
  if (hide) sql += 'WHERE n.nspname !~ \'^pg_\' AND n.nspname <> \'information_schema\'\n';
  const where = new Where(hide);
  if (!where.pattern(pattern, { name: 'n.nspname' }, 2)) return false;
  /** Asked for behind the list itself, and shown with it. */
  const publications = async (): Promise<string[] | null> => {
    const published = await psqlExec(`SELECT pubname \nFROM pg_catalog.pg_publication p\n     JOIN pg_catalog.pg_publication_namespace pn ON p.oid = pn.pnpubid\n     JOIN pg_catalog.pg_namespace n ON n.oid = pn.pnnspid \nWHERE n.nspname = '${pattern!.replaceAll('\'', '\'\'')}'\nORDER BY 1`);
    return published !== null && published.rows.length > 0 ? ['Publications:', ...published.rows.map((r) => `    "${r[0]}"`)] : null;
  };
  return list(`${sql}${where.text}ORDER BY 1;`, 'List of schemas', pattern === null ? {} : { footers: publications });
}

export async function listRoles(pattern: string | null, verbose: boolean, system: boolean): Promise<boolean> {
  let sql = `SELECT r.rolname, r.rolsuper, r.rolinherit,
  r.rolcreaterole, r.rolcreatedb, r.rolcanlogin,
  r.rolconnlimit, r.rolvaliduntil,
  ARRAY(SELECT b.rolname
        FROM pg_catalog.pg_auth_members m
        JOIN pg_catalog.pg_roles b ON (m.roleid = b.oid)
        WHERE m.member = r.oid) as memberof`;
  if (verbose) sql += '\n, pg_catalog.shobj_description(r.oid, \'pg_authid\') AS description';
  sql += '\n, r.rolreplication\n, r.rolbypassrls\nFROM pg_catalog.pg_roles r\n';
  const hide = !system && pattern === null;
  if (hide) sql += 'WHERE r.rolname !~ \'^pg_\'\n';
  const where = new Where(hide);
  if (!where.pattern(pattern, { name: 'r.rolname' })) return false;
  const result = await psqlExec(`${sql}${where.text}ORDER BY 1;`);
  if (result === null) return false;
  const extra = verbose ? 1 : 0;
  const rows = result.rows.map((r) => {
    const attributes: string[] = [];
    if (r[1] === 't') attributes.push('Superuser');
    if (r[2] !== 't') attributes.push('No inheritance');
    if (r[3] === 't') attributes.push('Create role');
    if (r[4] === 't') attributes.push('Create DB');
    if (r[5] !== 't') attributes.push('Cannot login');
    if (r[9 + extra] === 't') attributes.push('Replication');
    if (r[10 + extra] === 't') attributes.push('Bypass RLS');
    let text = attributes.join(', ');
    const limit = Number(r[6]);
    if (limit >= 0) text += `${text === '' ? '' : '\n'}${limit === 0 ? 'No connections' : `${limit} connection${limit === 1 ? '' : 's'}`}`;
    if (r[7] !== null) text += `${text === '' ? '' : '\n'}Password valid until ${r[7]}`;
    return [r[0]!, text, r[8]!, ...(verbose ? [r[9] ?? ''] : [])];
  });
  const headers = ['Role name', 'Attributes', 'Member of', ...(verbose ? ['Description'] : [])];
  showTable({ title: 'List of roles', headers, aligns: headers.map(() => 'l' as const), rows, footers: [] }, { ...pset.popt, nullText: '', defaultFooter: false });
  return true;
}

export async function listRoleSettings(role: string | null, database: string | null): Promise<boolean> {
  const where = new Where();
  if (!where.pattern(role, { name: 'r.rolname' }) || !where.pattern(database, { name: 'd.datname' })) return false;
  const sql = `SELECT rolname AS "Role", datname AS "Database",
pg_catalog.array_to_string(setconfig, E'\\n') AS "Settings"
FROM pg_catalog.pg_db_role_setting s
LEFT JOIN pg_catalog.pg_database d ON d.oid = setdatabase
LEFT JOIN pg_catalog.pg_roles r ON r.oid = setrole
${where.text}ORDER BY 1, 2;`;
  const result = await psqlExec(sql);
  if (result === null) return false;
  if (result.rows.length === 0 && !pset.quiet) {
    if (role !== null && database !== null) logError(`Did not find any settings for role "${role}" and database "${database}".`);
    else if (role !== null) logError(`Did not find any settings for role "${role}".`);
    else logError('Did not find any settings.');
    return true;
  }
  showTable({ title: 'List of settings', headers: result.fields.map((f) => f.name), aligns: ['l', 'l', 'l'], rows: result.rows.map((r) => r.map((c) => c ?? '')), footers: null }, { ...pset.popt, nullText: '' });
  return true;
}

export async function listDefaultPrivileges(pattern: string | null): Promise<boolean> {
  const where = new Where();
  if (!where.pattern(pattern, { name: 'n.nspname', alternative: 'pg_catalog.pg_get_userbyid(d.defaclrole)' })) return false;
  return list(`SELECT pg_catalog.pg_get_userbyid(d.defaclrole) AS "Owner",
  n.nspname AS "Schema",
  CASE d.defaclobjtype WHEN 'r' THEN 'table' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'function' WHEN 'T' THEN 'type' WHEN 'n' THEN 'schema' END AS "Type",
  ${acl('d.defaclacl')}
FROM pg_catalog.pg_default_acl d
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
${where.text}ORDER BY 1, 2, 3;`, 'Default access privileges');
}

const POLICIES = `  pg_catalog.array_to_string(ARRAY(
    SELECT polname
    || CASE WHEN NOT polpermissive THEN
       E' (RESTRICTIVE)'
       ELSE '' END
    || CASE WHEN polcmd != '*' THEN
           E' (' || polcmd::pg_catalog.text || E'):'
       ELSE E':'
       END
    || CASE WHEN polqual IS NOT NULL THEN
           E'\\n  (u): ' || pg_catalog.pg_get_expr(polqual, polrelid)
       ELSE E''
       END
    || CASE WHEN polwithcheck IS NOT NULL THEN
           E'\\n  (c): ' || pg_catalog.pg_get_expr(polwithcheck, polrelid)
       ELSE E''
       END    || CASE WHEN polroles <> '{0}' THEN
           E'\\n  to: ' || pg_catalog.array_to_string(
               ARRAY(
                   SELECT rolname
                   FROM pg_catalog.pg_roles
                   WHERE oid = ANY (polroles)
                   ORDER BY 1
               ), E', ')
       ELSE E''
       END
    FROM pg_catalog.pg_policy pol
    WHERE polrelid = c.oid), E'\\n')
    AS "Policies"`;

export async function listPrivileges(pattern: string | null): Promise<boolean> {
  const where = new Where(true);
  if (!where.pattern(pattern, { schema: 'n.nspname', name: 'c.relname', visible: 'n.nspname !~ \'^pg_\' AND pg_catalog.pg_table_is_visible(c.oid)' })) return false;
  return list(`SELECT n.nspname as "Schema",
  c.relname as "Name",
  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' END as "Type",
  ${acl('c.relacl')},
  pg_catalog.array_to_string(ARRAY(
    SELECT attname || E':\\n  ' || pg_catalog.array_to_string(attacl, E'\\n  ')
    FROM pg_catalog.pg_attribute a
    WHERE attrelid = c.oid AND NOT attisdropped AND attacl IS NOT NULL
  ), E'\\n') AS "Column privileges",
${POLICIES}
FROM pg_catalog.pg_class c
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r','v','m','S','f','p')
${where.text}ORDER BY 1, 2;`, 'Access privileges');
}

export async function listLanguages(pattern: string | null, verbose: boolean, system: boolean): Promise<boolean> {
  const where = new Where();
  if (pattern !== null && !where.pattern(pattern, { name: 'l.lanname' }, 2)) return false;
  if (!system && pattern === null) where.add('l.lanplcallfoid != 0');
  return list(`SELECT l.lanname AS "Name",
       pg_catalog.pg_get_userbyid(l.lanowner) as "Owner",
       l.lanpltrusted AS "Trusted",${verbose ? `
       NOT l.lanispl AS "Internal language",
       l.lanplcallfoid::pg_catalog.regprocedure AS "Call handler",
       l.lanvalidator::pg_catalog.regprocedure AS "Validator",
       l.laninline::pg_catalog.regprocedure AS "Inline handler",
       ${acl('l.lanacl')},` : ''}
       d.description AS "Description"
FROM pg_catalog.pg_language l
LEFT JOIN pg_catalog.pg_description d
  ON d.classoid = l.tableoid AND d.objoid = l.oid
  AND d.objsubid = 0
${where.text}ORDER BY 1;`, 'List of languages');
}

export async function listAccessMethods(pattern: string | null, verbose: boolean): Promise<boolean> {
  const where = new Where();
  if (!where.pattern(pattern, { name: 'amname' })) return false;
  return list(`SELECT amname AS "Name",
  CASE amtype WHEN 'i' THEN 'Index' WHEN 't' THEN 'Table' END AS "Type"${verbose ? ',\n  amhandler AS "Handler",\n  pg_catalog.obj_description(oid, \'pg_am\') AS "Description"' : ''}
FROM pg_catalog.pg_am
${where.text}ORDER BY 1;`, 'List of access methods');
}

export async function listEventTriggers(pattern: string | null, verbose: boolean): Promise<boolean> {
  const where = new Where();
  if (!where.pattern(pattern, { name: 'evtname' })) return false;
  return list(`SELECT evtname as "Name", evtevent as "Event", pg_catalog.pg_get_userbyid(e.evtowner) as "Owner",
 case evtenabled when 'O' then 'enabled'  when 'R' then 'replica'  when 'A' then 'always'  when 'D' then 'disabled' end as "Enabled",
 e.evtfoid::pg_catalog.regproc as "Function", pg_catalog.array_to_string(array(select x from pg_catalog.unnest(evttags) as t(x)), ', ') as "Tags"${verbose ? ',\npg_catalog.obj_description(e.oid, \'pg_event_trigger\') as "Description"' : ''}
FROM pg_catalog.pg_event_trigger e ${where.text}ORDER BY 1`, 'List of event triggers');
}

export async function listConfiguration(pattern: string | null, verbose: boolean): Promise<boolean> {
  const where = new Where();
  let condition = '';
  if (pattern !== null) {
    if (!where.pattern(pattern, { name: 'pg_catalog.lower(s.name)' }, 2)) return false;
    condition = where.text;
  } else condition = 'WHERE s.source <> \'default\' AND\n      s.setting IS DISTINCT FROM s.boot_val\n';
  return list(`SELECT s.name AS "Parameter", pg_catalog.current_setting(s.name) AS "Value"${verbose ? `, s.vartype AS "Type", s.context AS "Context", ${acl('p.paracl')}` : ''}
FROM pg_catalog.pg_settings s
${verbose ? '  LEFT JOIN pg_catalog.pg_parameter_acl p\n  ON pg_catalog.lower(s.name) = p.parname\n' : ''}${condition}ORDER BY 1;`, pattern !== null ? 'List of configuration parameters' : 'List of non-default configuration parameters');
}

export async function listLargeObjects(verbose: boolean): Promise<boolean> {
  return list(`SELECT oid as "ID",
  pg_catalog.pg_get_userbyid(lomowner) as "Owner",
  ${verbose ? `${acl('lomacl')},\n  ` : ''}pg_catalog.obj_description(oid, 'pg_largeobject') as "Description"
FROM pg_catalog.pg_largeobject_metadata
ORDER BY oid`, 'Large objects');
}
