// The rarer lists: \dP, \dF and its kin, foreign data (\de…), publications and subscriptions (\dR…), \dX, \dd, operator classes and
// families (\dA…).
import { psqlExec, rowsOf, showResult, showTable } from './common.ts';
import { acl, list, Where } from './describe.ts';
import { logError } from './output.ts';
import type { QueryTable } from './print.ts';
import { pset } from './settings.ts';

// ---- partitioned relations

export async function listPartitioned(kinds: string, pattern: string | null, verbose: boolean): Promise<boolean> {
  let tables = kinds.includes('t'), indexes = kinds.includes('i');
  const nested = kinds.includes('n');
  if (!tables && !indexes) tables = indexes = true;
  const mixed = tables && indexes, what = mixed ? 'relations' : tables ? 'tables' : 'indexes', parents = nested || pattern !== null;
  let sql = 'SELECT n.nspname as "Schema",\n  c.relname as "Name",\n  pg_catalog.pg_get_userbyid(c.relowner) as "Owner"';
  if (mixed) sql += ',\n  CASE c.relkind WHEN \'p\' THEN \'partitioned table\' WHEN \'I\' THEN \'partitioned index\' END as "Type"';
  if (parents) sql += ',\n  inh.inhparent::pg_catalog.regclass as "Parent name"';
  if (indexes) sql += ',\n c2.oid::pg_catalog.regclass as "Table"';
  if (verbose) {
    if (nested) sql += ',\n  s.dps as "Leaf partition size"';
    sql += ',\n  s.tps as "Total size",\n  pg_catalog.obj_description(c.oid, \'pg_class\') as "Description"';
  }
  sql += '\nFROM pg_catalog.pg_class c\n     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace';
  if (indexes) sql += '\n     LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid\n     LEFT JOIN pg_catalog.pg_class c2 ON i.indrelid = c2.oid';
  if (parents) sql += '\n     LEFT JOIN pg_catalog.pg_inherits inh ON c.oid = inh.inhrelid';
  if (verbose) {
    sql += `,
     LATERAL (SELECT pg_catalog.pg_size_pretty(sum(
                 CASE WHEN ppt.isleaf AND ppt.level = 1
                      THEN pg_catalog.pg_table_size(ppt.relid) ELSE 0 END)) AS dps,
                     pg_catalog.pg_size_pretty(sum(pg_catalog.pg_table_size(ppt.relid))) AS tps
              FROM pg_catalog.pg_partition_tree(c.oid) ppt) s`;
  }
  sql += `\nWHERE c.relkind IN (${tables ? '\'p\',' : ''}${indexes ? '\'I\',' : ''}'')\n`;
  if (!parents) sql += ' AND NOT c.relispartition\n';
  if (pattern === null) sql += '      AND n.nspname <> \'pg_catalog\'\n      AND n.nspname !~ \'^pg_toast\'\n      AND n.nspname <> \'information_schema\'\n';
  const where = new Where(true);
  if (!where.pattern(pattern, { schema: 'n.nspname', name: 'c.relname', visible: 'pg_catalog.pg_table_is_visible(c.oid)' })) return false;
  return list(`${sql}${where.text}ORDER BY "Schema", ${mixed ? '"Type" DESC, ' : ''}${parents ? '"Parent name" NULLS FIRST, ' : ''}"Name";`, `List of partitioned ${what}`);
}

// ---- text search

const searchWhere = (pattern: string | null, name: string, visible: string): Where | null => {
  const where = new Where();
  return where.pattern(pattern, { schema: 'n.nspname', name, visible }) ? where : null;
};

export async function listSearchConfigurations(pattern: string | null, verbose: boolean): Promise<boolean> {
  if (verbose) return listSearchConfigurationContents(pattern);
  const where = searchWhere(pattern, 'c.cfgname', 'pg_catalog.pg_ts_config_is_visible(c.oid)');
  return where !== null && list(`SELECT
   n.nspname as "Schema",
   c.cfgname as "Name",
   pg_catalog.obj_description(c.oid, 'pg_ts_config') as "Description"
FROM pg_catalog.pg_ts_config c
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.cfgnamespace
${where.text}ORDER BY 1, 2;`, 'List of text search configurations');
}

async function listSearchConfigurationContents(pattern: string | null): Promise<boolean> {
  const where = new Where(true);
  if (!where.pattern(pattern, { schema: 'n.nspname', name: 'c.cfgname', visible: 'pg_catalog.pg_ts_config_is_visible(c.oid)' })) return false;
  const found = await rowsOf(`SELECT c.oid, c.cfgname,
   n.nspname,
   p.prsname,
   np.nspname as pnspname
FROM pg_catalog.pg_ts_config c
   LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.cfgnamespace,
 pg_catalog.pg_ts_parser p
   LEFT JOIN pg_catalog.pg_namespace np ON np.oid = p.prsnamespace
WHERE  p.oid = c.cfgparser
${where.text}ORDER BY 3, 2;`);
  if (found === null) return false;
  if (found.length === 0) {
    if (!pset.quiet) logError(pattern === null ? 'Did not find any text search configurations.' : `Did not find any text search configuration named "${pattern}".`);
    return false;
  }
  for (const [oid, name, schema, parser, parserSchema] of found) {
    const result = await psqlExec(`SELECT
  ( SELECT t.alias FROM
    pg_catalog.ts_token_type(c.cfgparser) AS t
    WHERE t.tokid = m.maptokentype ) AS "Token",
  pg_catalog.btrim(
    ARRAY( SELECT mm.mapdict::pg_catalog.regdictionary
           FROM pg_catalog.pg_ts_config_map AS mm
           WHERE mm.mapcfg = m.mapcfg AND mm.maptokentype = m.maptokentype
           ORDER BY mapcfg, maptokentype, mapseqno
    ) :: pg_catalog.text,
  '{}') AS "Dictionaries"
FROM pg_catalog.pg_ts_config AS c, pg_catalog.pg_ts_config_map AS m
WHERE c.oid = '${oid}' AND m.mapcfg = c.oid
GROUP BY m.mapcfg, m.maptokentype, c.cfgparser
ORDER BY 1;`);
    if (result === null) return false;
    const title = `Text search configuration "${schema === null ? name : `${schema}.${name}`}"\nParser: "${parserSchema === null ? parser : `${parserSchema}.${parser}`}"`;
    showResult(result as unknown as QueryTable, { ...pset.popt, nullText: '', defaultFooter: false }, pset.out, title, null);
  }
  return true;
}

export async function listDictionaries(pattern: string | null, verbose: boolean): Promise<boolean> {
  const where = searchWhere(pattern, 'd.dictname', 'pg_catalog.pg_ts_dict_is_visible(d.oid)');
  return where !== null && list(`SELECT
  n.nspname as "Schema",
  d.dictname as "Name",
${verbose ? `  ( SELECT COALESCE(nt.nspname, '(null)')::pg_catalog.text || '.' || t.tmplname FROM
    pg_catalog.pg_ts_template t
    LEFT JOIN pg_catalog.pg_namespace nt ON nt.oid = t.tmplnamespace
    WHERE d.dicttemplate = t.oid ) AS  "Template",
  d.dictinitoption as "Init options",
` : ''}  pg_catalog.obj_description(d.oid, 'pg_ts_dict') as "Description"
FROM pg_catalog.pg_ts_dict d
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.dictnamespace
${where.text}ORDER BY 1, 2;`, 'List of text search dictionaries');
}

export async function listSearchTemplates(pattern: string | null, verbose: boolean): Promise<boolean> {
  const where = searchWhere(pattern, 't.tmplname', 'pg_catalog.pg_ts_template_is_visible(t.oid)');
  return where !== null && list(`SELECT
  n.nspname AS "Schema",
  t.tmplname AS "Name",
${verbose ? '  t.tmplinit::pg_catalog.regproc AS "Init",\n  t.tmpllexize::pg_catalog.regproc AS "Lexize",\n' : ''}  pg_catalog.obj_description(t.oid, 'pg_ts_template') AS "Description"
FROM pg_catalog.pg_ts_template t
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = t.tmplnamespace
${where.text}ORDER BY 1, 2;`, 'List of text search templates');
}

const METHODS: [title: string, column: string][] = [['Start parse', 'prsstart'], ['Get next token', 'prstoken'], ['End parse', 'prsend'], ['Get headline', 'prsheadline'], ['Get token types', 'prslextype']];

export async function listParsers(pattern: string | null, verbose: boolean): Promise<boolean> {
  const where = searchWhere(pattern, 'p.prsname', 'pg_catalog.pg_ts_parser_is_visible(p.oid)');
  if (where === null) return false;
  if (!verbose) {
    return list(`SELECT
  n.nspname as "Schema",
  p.prsname as "Name",
  pg_catalog.obj_description(p.oid, 'pg_ts_parser') as "Description"
FROM pg_catalog.pg_ts_parser p
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.prsnamespace
${where.text}ORDER BY 1, 2;`, 'List of text search parsers');
  }
  const found = await rowsOf(`SELECT p.oid,
  n.nspname,
  p.prsname
FROM pg_catalog.pg_ts_parser p
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.prsnamespace
${where.text}ORDER BY 1, 2;`);
  if (found === null) return false;
  if (found.length === 0) {
    if (!pset.quiet) logError(pattern === null ? 'Did not find any text search parsers.' : `Did not find any text search parser named "${pattern}".`);
    return false;
  }
  for (const [oid, schema, name] of found) {
    const full = schema === null ? name! : `${schema}.${name}`;
    const methods = await psqlExec(`${METHODS.map(([title, column], i) => `SELECT '${title}'${i === 0 ? ' AS "Method"' : ''},
   p.${column}::pg_catalog.regproc${i === 0 ? ' AS "Function"' : ''},
   pg_catalog.obj_description(p.${column}, 'pg_proc')${i === 0 ? ' as "Description"' : ''}
 FROM pg_catalog.pg_ts_parser p
 WHERE p.oid = '${oid}'`).join('\nUNION ALL\n')};`);
    if (methods === null) return false;
    showResult(methods as unknown as QueryTable, { ...pset.popt, nullText: '', defaultFooter: false }, pset.out, `Text search parser "${full}"`, null);
    const tokens = await psqlExec(`SELECT t.alias as "Token name",
  t.description as "Description"
FROM pg_catalog.ts_token_type( '${oid}'::pg_catalog.oid ) as t
ORDER BY 1;`);
    if (tokens === null) return false;
    showResult(tokens as unknown as QueryTable, { ...pset.popt, nullText: '' }, pset.out, `Token types for parser "${full}"`, null);
  }
  return true;
}

// ---- foreign data

const options = (column: string, space = ''): string =>
  `${space} CASE WHEN ${column} IS NULL THEN '' ELSE   '(' || pg_catalog.array_to_string(ARRAY(SELECT   pg_catalog.quote_ident(option_name) ||  ' ' ||   pg_catalog.quote_literal(option_value)  FROM   pg_catalog.pg_options_to_table(${column})),  ', ') || ')'   END AS "FDW options"`;

export async function listForeignServers(pattern: string | null, verbose: boolean): Promise<boolean> {
  const where = new Where();
  if (!where.pattern(pattern, { name: 's.srvname' })) return false;
  return list(`SELECT s.srvname AS "Name",
  pg_catalog.pg_get_userbyid(s.srvowner) AS "Owner",
  f.fdwname AS "Foreign-data wrapper"${verbose ? `,\n  ${acl('s.srvacl')},\n  s.srvtype AS "Type",\n  s.srvversion AS "Version",\n${options('srvoptions', ' ')},\n  d.description AS "Description"` : ''}
FROM pg_catalog.pg_foreign_server s
     JOIN pg_catalog.pg_foreign_data_wrapper f ON f.oid=s.srvfdw
${verbose ? 'LEFT JOIN pg_catalog.pg_description d\n       ON d.classoid = s.tableoid AND d.objoid = s.oid AND d.objsubid = 0\n' : ''}${where.text}ORDER BY 1;`, 'List of foreign servers');
}

export async function listForeignDataWrappers(pattern: string | null, verbose: boolean): Promise<boolean> {
  const where = new Where();
  if (!where.pattern(pattern, { name: 'fdwname' })) return false;
  return list(`SELECT fdw.fdwname AS "Name",
  pg_catalog.pg_get_userbyid(fdw.fdwowner) AS "Owner",
  fdw.fdwhandler::pg_catalog.regproc AS "Handler",
  fdw.fdwvalidator::pg_catalog.regproc AS "Validator"${verbose ? `,\n  ${acl('fdwacl')},\n${options('fdwoptions')},\n  d.description AS "Description" ` : ''}
FROM pg_catalog.pg_foreign_data_wrapper fdw
${verbose ? 'LEFT JOIN pg_catalog.pg_description d\n       ON d.classoid = fdw.tableoid AND d.objoid = fdw.oid AND d.objsubid = 0\n' : ''}${where.text}ORDER BY 1;`, 'List of foreign-data wrappers');
}

export async function listForeignTables(pattern: string | null, verbose: boolean): Promise<boolean> {
  const where = new Where();
  if (!where.pattern(pattern, { schema: 'n.nspname', name: 'c.relname', visible: 'pg_catalog.pg_table_is_visible(c.oid)' })) return false;
  return list(`SELECT n.nspname AS "Schema",
  c.relname AS "Table",
  s.srvname AS "Server"${verbose ? `,\n${options('ftoptions')},\n  d.description AS "Description"` : ''}
FROM pg_catalog.pg_foreign_table ft
  INNER JOIN pg_catalog.pg_class c ON c.oid = ft.ftrelid
  INNER JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  INNER JOIN pg_catalog.pg_foreign_server s ON s.oid = ft.ftserver
${verbose ? '   LEFT JOIN pg_catalog.pg_description d\n          ON d.classoid = c.tableoid AND d.objoid = c.oid AND d.objsubid = 0\n' : ''}${where.text}ORDER BY 1, 2;`, 'List of foreign tables');
}

export async function listUserMappings(pattern: string | null, verbose: boolean): Promise<boolean> {
  const where = new Where();
  if (!where.pattern(pattern, { name: 'um.srvname', alternative: 'um.usename' })) return false;
  return list(`SELECT um.srvname AS "Server",
  um.usename AS "User name"${verbose ? `,\n${options('umoptions')}` : ''}
FROM pg_catalog.pg_user_mappings um
${where.text}ORDER BY 1, 2;`, 'List of user mappings');
}

// ---- replication

export async function listPublications(pattern: string | null, verbose: boolean): Promise<boolean> {
  const where = new Where();
  if (!where.pattern(pattern, { name: 'pubname' })) return false;
  if (!verbose) {
    return list(`SELECT pubname AS "Name",
  pg_catalog.pg_get_userbyid(pubowner) AS "Owner",
  puballtables AS "All tables",
  pubinsert AS "Inserts",
  pubupdate AS "Updates",
  pubdelete AS "Deletes",
  pubtruncate AS "Truncates",
  pubviaroot AS "Via root"
FROM pg_catalog.pg_publication
${where.text}ORDER BY 1;`, 'List of publications');
  }
  const found = await rowsOf(`SELECT oid, pubname,
  pg_catalog.pg_get_userbyid(pubowner) AS owner,
  puballtables, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot
FROM pg_catalog.pg_publication
${where.text}ORDER BY 2;`);
  if (found === null) return false;
  if (found.length === 0) {
    if (!pset.quiet) logError(pattern === null ? 'Did not find any publications.' : `Did not find any publication named "${pattern}".`);
    return false;
  }
  const headers = ['Owner', 'All tables', 'Inserts', 'Updates', 'Deletes', 'Truncates', 'Via root'];
  for (const [oid, name, ...values] of found) {
    const footers: string[] = [];
    if (values[1] === 'f') {
      const tables = await rowsOf(`SELECT n.nspname, c.relname, pg_get_expr(pr.prqual, c.oid), (CASE WHEN pr.prattrs IS NOT NULL THEN
     pg_catalog.array_to_string(      ARRAY(SELECT attname
              FROM
                pg_catalog.generate_series(0, pg_catalog.array_upper(pr.prattrs::pg_catalog.int2[], 1)) s,
                pg_catalog.pg_attribute
        WHERE attrelid = c.oid AND attnum = prattrs[s]), ', ')
       ELSE NULL END)
FROM pg_catalog.pg_class c,
     pg_catalog.pg_namespace n,
     pg_catalog.pg_publication_rel pr
WHERE c.relnamespace = n.oid
  AND c.oid = pr.prrelid
  AND pr.prpubid = '${oid}'
ORDER BY 1,2`);
      if (tables === null) return false;
      if (tables.length > 0) footers.push('Tables:', ...tables.map(([schema, table, condition, columns]) => `    "${schema}.${table}"${columns === null ? '' : ` (${columns})`}${condition === null ? '' : ` WHERE ${condition}`}`));
      const schemas = await rowsOf(`SELECT n.nspname
FROM pg_catalog.pg_namespace n
     JOIN pg_catalog.pg_publication_namespace pn ON n.oid = pn.pnnspid
WHERE pn.pnpubid = '${oid}'
ORDER BY 1`);
      if (schemas === null) return false;
      if (schemas.length > 0) footers.push('Tables from schemas:', ...schemas.map((s) => `    "${s[0]}"`));
    }
    showTable({ title: `Publication ${name}`, headers, aligns: headers.map(() => 'l' as const), rows: [values.map((v) => v ?? '')], footers: footers.length > 0 ? footers : null }, { ...pset.popt, nullText: '' });
  }
  return true;
}

export async function listSubscriptions(pattern: string | null, verbose: boolean): Promise<boolean> {
  const where = new Where(true);
  if (!where.pattern(pattern, { name: 'subname' })) return false;
  return list(`SELECT subname AS "Name"
,  pg_catalog.pg_get_userbyid(subowner) AS "Owner"
,  subenabled AS "Enabled"
,  subpublications AS "Publication"
${verbose ? `, subbinary AS "Binary"
, substream AS "Streaming"
, subtwophasestate AS "Two-phase commit"
, subdisableonerr AS "Disable on error"
,  subsynccommit AS "Synchronous commit"
,  subconninfo AS "Conninfo"
, subskiplsn AS "Skip LSN"
` : ''}FROM pg_catalog.pg_subscription
WHERE subdbid = (SELECT oid
                 FROM pg_catalog.pg_database
                 WHERE datname = pg_catalog.current_database())${where.text}ORDER BY 1;`, 'List of subscriptions');
}

// ---- statistics, descriptions

export async function listExtendedStatistics(pattern: string | null): Promise<boolean> {
  const where = new Where();
  if (!where.pattern(pattern, { schema: 'es.stxnamespace::pg_catalog.regnamespace::pg_catalog.text', name: 'es.stxname', visible: 'pg_catalog.pg_statistics_obj_is_visible(es.oid)' })) return false;
  return list(`SELECT \nes.stxnamespace::pg_catalog.regnamespace::pg_catalog.text AS "Schema", \nes.stxname AS "Name", \npg_catalog.format('%s FROM %s', \n  pg_catalog.pg_get_statisticsobjdef_columns(es.oid), \n  es.stxrelid::pg_catalog.regclass) AS "Definition",
CASE WHEN 'd' = any(es.stxkind) THEN 'defined' \nEND AS "Ndistinct", \nCASE WHEN 'f' = any(es.stxkind) THEN 'defined' \nEND AS "Dependencies",
CASE WHEN 'm' = any(es.stxkind) THEN 'defined' \nEND AS "MCV"  \nFROM pg_catalog.pg_statistic_ext es \n${where.text}ORDER BY 1, 2;`, 'List of extended statistics');
}

/** \dd: comments of what no other command shows. */
export async function listDescriptions(pattern: string | null, system: boolean): Promise<boolean> {
  const hide = !system && pattern === null, parts: string[] = [];
  const part = (head: string, name: string, visible: string, joined: boolean): boolean => {
    const where = new Where(joined || hide);
    const hidden = !hide ? '' : joined ? '      AND n.nspname <> \'pg_catalog\'\n      AND n.nspname <> \'information_schema\'\n' : 'WHERE n.nspname <> \'pg_catalog\'\n      AND n.nspname <> \'information_schema\'\n';
    if (!where.pattern(pattern, { schema: 'n.nspname', name, visible })) return false;
    parts.push(`${head}${hidden}${where.text}`);
    return true;
  };
  const constraint = (what: string, join: string, alias: string): string => `  SELECT pgc.oid as oid, pgc.tableoid AS tableoid,
  n.nspname as nspname,
  CAST(pgc.conname AS pg_catalog.text) as name,  CAST('${what}' AS pg_catalog.text) as object
  FROM pg_catalog.pg_constraint pgc
    JOIN ${join}
    LEFT JOIN pg_catalog.pg_namespace n     ON n.oid = ${alias}namespace\n`;
  const ok = part(constraint('table constraint', 'pg_catalog.pg_class c ON c.oid = pgc.conrelid', 'c.rel'), 'pgc.conname', 'pg_catalog.pg_table_is_visible(c.oid)', false)
    && part(constraint('domain constraint', 'pg_catalog.pg_type t ON t.oid = pgc.contypid', 't.typ'), 'pgc.conname', 'pg_catalog.pg_type_is_visible(t.oid)', false)
    && part(`  SELECT o.oid as oid, o.tableoid as tableoid,
  n.nspname as nspname,
  CAST(o.opcname AS pg_catalog.text) as name,
  CAST('operator class' AS pg_catalog.text) as object
  FROM pg_catalog.pg_opclass o
    JOIN pg_catalog.pg_am am ON o.opcmethod = am.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace\n`, 'o.opcname', 'pg_catalog.pg_opclass_is_visible(o.oid)', true)
    && part(`  SELECT opf.oid as oid, opf.tableoid as tableoid,
  n.nspname as nspname,
  CAST(opf.opfname AS pg_catalog.text) AS name,
  CAST('operator family' AS pg_catalog.text) as object
  FROM pg_catalog.pg_opfamily opf
    JOIN pg_catalog.pg_am am ON opf.opfmethod = am.oid
    JOIN pg_catalog.pg_namespace n ON opf.opfnamespace = n.oid\n`, 'opf.opfname', 'pg_catalog.pg_opfamily_is_visible(opf.oid)', true)
    && part(`  SELECT r.oid as oid, r.tableoid as tableoid,
  n.nspname as nspname,
  CAST(r.rulename AS pg_catalog.text) as name,  CAST('rule' AS pg_catalog.text) as object
  FROM pg_catalog.pg_rewrite r
       JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
       LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE r.rulename != '_RETURN'\n`, 'r.rulename', 'pg_catalog.pg_table_is_visible(c.oid)', true)
    && part(`  SELECT t.oid as oid, t.tableoid as tableoid,
  n.nspname as nspname,
  CAST(t.tgname AS pg_catalog.text) as name,  CAST('trigger' AS pg_catalog.text) as object
  FROM pg_catalog.pg_trigger t
       JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
       LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n`, 't.tgname', 'pg_catalog.pg_table_is_visible(c.oid)', false);
  return ok && list(`SELECT DISTINCT tt.nspname AS "Schema", tt.name AS "Name", tt.object AS "Object", d.description AS "Description"
FROM (
${parts.join('UNION ALL\n')}) AS tt
  JOIN pg_catalog.pg_description d ON (tt.oid = d.objoid AND tt.tableoid = d.classoid AND d.objsubid = 0)
ORDER BY 1, 2, 3;`, 'Object descriptions');
}

// ---- operator classes and families

const visibleName = (function_: string, alias: string, name: string, schema: string): string => `  CASE
    WHEN pg_catalog.${function_}(${alias}.oid)
    THEN pg_catalog.format('%I', ${alias}.${name})
    ELSE pg_catalog.format('%I.%I', ${schema}.nspname, ${alias}.${name})
  END`;
const TYPE_TARGET = { schema: 'tn.nspname', name: 't.typname', alternative: 'pg_catalog.format_type(t.oid, NULL)', visible: 'pg_catalog.pg_type_is_visible(t.oid)' };

export async function listOperatorClasses(method: string | null, type: string | null, verbose: boolean): Promise<boolean> {
  const where = new Where();
  if (method !== null && !where.pattern(method, { name: 'am.amname' })) return false;
  if (type !== null && !where.pattern(type, TYPE_TARGET)) return false;
  return list(`SELECT
  am.amname AS "AM",
  pg_catalog.format_type(c.opcintype, NULL) AS "Input type",
  CASE
    WHEN c.opckeytype <> 0 AND c.opckeytype <> c.opcintype
    THEN pg_catalog.format_type(c.opckeytype, NULL)
    ELSE NULL
  END AS "Storage type",
${visibleName('pg_opclass_is_visible', 'c', 'opcname', 'n')} AS "Operator class",
  (CASE WHEN c.opcdefault
    THEN 'yes'
    ELSE 'no'
  END) AS "Default?"${verbose ? `,\n${visibleName('pg_opfamily_is_visible', 'of', 'opfname', 'ofn')} AS "Operator family",\n pg_catalog.pg_get_userbyid(c.opcowner) AS "Owner"\n` : ''}
FROM pg_catalog.pg_opclass c
  LEFT JOIN pg_catalog.pg_am am on am.oid = c.opcmethod
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.opcnamespace
  LEFT JOIN pg_catalog.pg_type t ON t.oid = c.opcintype
  LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
${verbose ? '  LEFT JOIN pg_catalog.pg_opfamily of ON of.oid = c.opcfamily\n  LEFT JOIN pg_catalog.pg_namespace ofn ON ofn.oid = of.opfnamespace\n' : ''}${where.text}ORDER BY 1, 2, 4;`, 'List of operator classes');
}

export async function listOperatorFamilies(method: string | null, type: string | null, verbose: boolean): Promise<boolean> {
  const where = new Where(), types = new Where(true);
  if (method !== null && !where.pattern(method, { name: 'am.amname' })) return false;
  if (type !== null) {
    if (!types.pattern(type, TYPE_TARGET)) return false;
    where.add(`EXISTS (
    SELECT 1
    FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_opclass oc ON oc.opcintype = t.oid
    LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
    WHERE oc.opcfamily = f.oid
${types.text}  )`);
  }
  return list(`SELECT
  am.amname AS "AM",
${visibleName('pg_opfamily_is_visible', 'f', 'opfname', 'n')} AS "Operator family",
  (SELECT
     pg_catalog.string_agg(pg_catalog.format_type(oc.opcintype, NULL), ', ')
   FROM pg_catalog.pg_opclass oc
   WHERE oc.opcfamily = f.oid) "Applicable types"${verbose ? ',\n  pg_catalog.pg_get_userbyid(f.opfowner) AS "Owner"\n' : ''}
FROM pg_catalog.pg_opfamily f
  LEFT JOIN pg_catalog.pg_am am on am.oid = f.opfmethod
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace
${where.text}ORDER BY 1, 2;`, 'List of operator families');
}

function familyWhere(method: string | null, family: string | null): Where | null {
  const where = new Where();
  if (method !== null && !where.pattern(method, { name: 'am.amname' })) return null;
  if (family !== null && !where.pattern(family, { schema: 'nsf.nspname', name: 'of.opfname' })) return null;
  return where;
}

export async function listFamilyOperators(method: string | null, family: string | null, verbose: boolean): Promise<boolean> {
  const where = familyWhere(method, family);
  return where !== null && list(`SELECT
  am.amname AS "AM",
${visibleName('pg_opfamily_is_visible', 'of', 'opfname', 'nsf')} AS "Operator family",
  o.amopopr::pg_catalog.regoperator AS "Operator"
,  o.amopstrategy AS "Strategy",
  CASE o.amoppurpose
    WHEN 'o' THEN 'ordering'
    WHEN 's' THEN 'search'
  END AS "Purpose"
${verbose ? ', ofs.opfname AS "Sort opfamily"\n' : ''}FROM pg_catalog.pg_amop o
  LEFT JOIN pg_catalog.pg_opfamily of ON of.oid = o.amopfamily
  LEFT JOIN pg_catalog.pg_am am ON am.oid = of.opfmethod AND am.oid = o.amopmethod
  LEFT JOIN pg_catalog.pg_namespace nsf ON of.opfnamespace = nsf.oid
${verbose ? '  LEFT JOIN pg_catalog.pg_opfamily ofs ON ofs.oid = o.amopsortfamily\n' : ''}${where.text}ORDER BY 1, 2,
  o.amoplefttype = o.amoprighttype DESC,
  pg_catalog.format_type(o.amoplefttype, NULL),
  pg_catalog.format_type(o.amoprighttype, NULL),
  o.amopstrategy;`, 'List of operators of operator families');
}

export async function listFamilyFunctions(method: string | null, family: string | null, verbose: boolean): Promise<boolean> {
  const where = new Where();
  if (method !== null && !where.pattern(method, { name: 'am.amname' })) return false;
  if (family !== null && !where.pattern(family, { schema: 'ns.nspname', name: 'of.opfname' })) return false;
  return list(`SELECT
  am.amname AS "AM",
${visibleName('pg_opfamily_is_visible', 'of', 'opfname', 'ns')} AS "Operator family",
  pg_catalog.format_type(ap.amproclefttype, NULL) AS "Registered left type",
  pg_catalog.format_type(ap.amprocrighttype, NULL) AS "Registered right type",
  ap.amprocnum AS "Number"
, ${verbose ? 'ap.amproc::pg_catalog.regprocedure' : 'p.proname'} AS "Function"
FROM pg_catalog.pg_amproc ap
  LEFT JOIN pg_catalog.pg_opfamily of ON of.oid = ap.amprocfamily
  LEFT JOIN pg_catalog.pg_am am ON am.oid = of.opfmethod
  LEFT JOIN pg_catalog.pg_namespace ns ON of.opfnamespace = ns.oid
  LEFT JOIN pg_catalog.pg_proc p ON ap.amproc = p.oid
${where.text}ORDER BY 1, 2,
  ap.amproclefttype = ap.amprocrighttype DESC,
  3, 4, 5;`, 'List of support functions of operator families');
}
