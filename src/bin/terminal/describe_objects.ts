// \df \da \do \dT \dD \dC \dx \dO \dc: functions, operators, types and the like.
import { psqlExec } from './common.ts';
import { acl, list, userOnly, Where } from './describe.ts';
import { logError } from './output.ts';
import { pset } from './settings.ts';

/** Names of types that people use in argument patterns (map_typename_pattern). */
const TYPE_NAMES: Record<string, string> = {
  'decimal': 'numeric', 'float': 'double precision', 'int': 'integer', 'bool': 'boolean', 'char': 'character', 'varchar': 'character varying', 'float4': 'real', 'float8': 'double precision',
  'int2': 'smallint', 'int4': 'integer', 'int8': 'bigint', 'time': 'time without time zone', 'timetz': 'time with time zone', 'timestamp': 'timestamp without time zone', 'timestamptz': 'timestamp with time zone',
  'decimal[]': 'numeric[]', 'float[]': 'double precision[]', 'int[]': 'integer[]', 'bool[]': 'boolean[]', 'char[]': 'character[]', 'varchar[]': 'character varying[]', 'float4[]': 'real[]',
  'float8[]': 'double precision[]', 'int2[]': 'smallint[]', 'int4[]': 'integer[]', 'int8[]': 'bigint[]', 'time[]': 'time without time zone[]', 'timetz[]': 'time with time zone[]',
  'timestamp[]': 'timestamp without time zone[]', 'timestamptz[]': 'timestamp with time zone[]',
};
const typePattern = (pattern: string): string => TYPE_NAMES[pattern.toLowerCase()] ?? pattern;

/** Conditions on the types of arguments; "-" stands for no further argument. */
function argumentTypes(where: Where, patterns: readonly string[], none: (i: number) => string): boolean {
  for (const [i, pattern] of patterns.entries()) {
    if (pattern === '-') where.add(none(i));
    else if (!where.pattern(typePattern(pattern), { schema: `nt${i}.nspname`, name: `t${i}.typname`, alternative: `pg_catalog.format_type(t${i}.oid, NULL)`, visible: `pg_catalog.pg_type_is_visible(t${i}.oid)` })) return false;
  }
  return true;
}

export async function listFunctions(kinds: string, pattern: string | null, args: readonly string[], verbose: boolean, system: boolean): Promise<boolean> {
  const wrong = [...kinds].find((k) => !'anptwS+'.includes(k));
  if (wrong !== undefined) {
    logError('\\df only takes [anptwS+] as options');
    return true;
  }
  let aggregate = kinds.includes('a'), normal = kinds.includes('n'), procedure = kinds.includes('p'), trigger = kinds.includes('t'), window = kinds.includes('w');
  if (!aggregate && !normal && !procedure && !trigger && !window) aggregate = normal = procedure = trigger = window = true;
  let sql = `SELECT n.nspname as "Schema",
  p.proname as "Name",
  pg_catalog.pg_get_function_result(p.oid) as "Result data type",
  pg_catalog.pg_get_function_arguments(p.oid) as "Argument data types",
 CASE p.prokind
  WHEN 'a' THEN 'agg'
  WHEN 'w' THEN 'window'
  WHEN 'p' THEN 'proc'
  ELSE 'func'
 END as "Type"`;
  if (verbose) {
    sql += `,
 CASE
  WHEN p.provolatile = 'i' THEN 'immutable'
  WHEN p.provolatile = 's' THEN 'stable'
  WHEN p.provolatile = 'v' THEN 'volatile'
 END as "Volatility",
 CASE
  WHEN p.proparallel = 'r' THEN 'restricted'
  WHEN p.proparallel = 's' THEN 'safe'
  WHEN p.proparallel = 'u' THEN 'unsafe'
 END as "Parallel",
 pg_catalog.pg_get_userbyid(p.proowner) as "Owner",
 CASE WHEN prosecdef THEN 'definer' ELSE 'invoker' END AS "Security",
 ${acl('p.proacl')},
 l.lanname as "Language",
 COALESCE(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc) as "Source code",
 pg_catalog.obj_description(p.oid, 'pg_proc') as "Description"`;
  }
  sql += '\nFROM pg_catalog.pg_proc p\n     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace\n';
  for (const [i, arg] of args.entries()) {
    if (arg !== '-') sql += `     LEFT JOIN pg_catalog.pg_type t${i} ON t${i}.oid = p.proargtypes[${i}]\n     LEFT JOIN pg_catalog.pg_namespace nt${i} ON nt${i}.oid = t${i}.typnamespace\n`;
  }
  if (verbose) sql += '     LEFT JOIN pg_catalog.pg_language l ON l.oid = p.prolang\n';
  const where = new Where();
  if (!(aggregate && normal && procedure && trigger && window)) {
    if (normal) {
      // What is not asked for is left out.
      if (!aggregate) where.add('p.prokind <> \'a\'');
      if (!procedure) where.add('p.prokind <> \'p\'');
      if (!trigger) where.add('p.prorettype <> \'pg_catalog.trigger\'::pg_catalog.regtype');
      if (!window) where.add('p.prokind <> \'w\'');
    } else {
      const any: string[] = [];
      if (aggregate) any.push('p.prokind = \'a\'\n');
      if (trigger) any.push('p.prorettype = \'pg_catalog.trigger\'::pg_catalog.regtype\n');
      if (procedure) any.push('p.prokind = \'p\'\n');
      if (window) any.push('p.prokind = \'w\'\n');
      where.add(`(\n       ${any.join('       OR ')}      )`);
    }
  }
  if (!where.pattern(pattern, { schema: 'n.nspname', name: 'p.proname', visible: 'pg_catalog.pg_function_is_visible(p.oid)' })) return false;
  if (!argumentTypes(where, args, (i) => `p.pronargs = ${i}`)) return false;
  return list(`${sql}${where.text}${userOnly(system, pattern)}ORDER BY 1, 2, 4;`, 'List of functions');
}

export async function listAggregates(pattern: string | null, system: boolean): Promise<boolean> {
  const where = new Where(true);
  if (!where.pattern(pattern, { schema: 'n.nspname', name: 'p.proname', visible: 'pg_catalog.pg_function_is_visible(p.oid)' })) return false;
  return list(`SELECT n.nspname as "Schema",
  p.proname AS "Name",
  pg_catalog.format_type(p.prorettype, NULL) AS "Result data type",
  CASE WHEN p.pronargs = 0
    THEN CAST('*' AS pg_catalog.text)
    ELSE pg_catalog.pg_get_function_arguments(p.oid)
  END AS "Argument data types",
  pg_catalog.obj_description(p.oid, 'pg_proc') as "Description"
FROM pg_catalog.pg_proc p
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.prokind = 'a'
${userOnly(system, pattern)}${where.text}ORDER BY 1, 2, 4;`, 'List of aggregate functions');
}

export async function listOperators(pattern: string | null, args: readonly string[], verbose: boolean, system: boolean): Promise<boolean> {
  const used = args.slice(0, 2);
  let sql = `SELECT n.nspname as "Schema",
  o.oprname AS "Name",
  CASE WHEN o.oprkind='l' THEN NULL ELSE pg_catalog.format_type(o.oprleft, NULL) END AS "Left arg type",
  CASE WHEN o.oprkind='r' THEN NULL ELSE pg_catalog.format_type(o.oprright, NULL) END AS "Right arg type",
  pg_catalog.format_type(o.oprresult, NULL) AS "Result type",
${verbose ? '  o.oprcode AS "Function",\n' : ''}  coalesce(pg_catalog.obj_description(o.oid, 'pg_operator'),
           pg_catalog.obj_description(o.oprcode, 'pg_proc')) AS "Description"
FROM pg_catalog.pg_operator o
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
`;
  if (used.length >= 2) {
    sql += '     LEFT JOIN pg_catalog.pg_type t0 ON t0.oid = o.oprleft\n     LEFT JOIN pg_catalog.pg_namespace nt0 ON nt0.oid = t0.typnamespace\n     LEFT JOIN pg_catalog.pg_type t1 ON t1.oid = o.oprright\n     LEFT JOIN pg_catalog.pg_namespace nt1 ON nt1.oid = t1.typnamespace\n';
  } else if (used.length === 1) sql += '     LEFT JOIN pg_catalog.pg_type t0 ON t0.oid = o.oprright\n     LEFT JOIN pg_catalog.pg_namespace nt0 ON nt0.oid = t0.typnamespace\n';
  const hide = !system && pattern === null, where = new Where(hide);
  if (hide) sql += 'WHERE n.nspname <> \'pg_catalog\'\n      AND n.nspname <> \'information_schema\'\n';
  if (!where.pattern(pattern, { schema: 'n.nspname', name: 'o.oprname', visible: 'pg_catalog.pg_operator_is_visible(o.oid)', plain: true })) return false;
  if (used.length === 1) where.add('o.oprleft = 0');
  if (!argumentTypes(where, used, (i) => `t${i}.typname IS NULL`)) return false;
  return list(`${sql}${where.text}ORDER BY 1, 2, 3, 4;`, 'List of operators');
}

export async function listTypes(pattern: string | null, verbose: boolean, system: boolean): Promise<boolean> {
  let sql = 'SELECT n.nspname as "Schema",\n  pg_catalog.format_type(t.oid, NULL) AS "Name",\n';
  if (verbose) {
    sql += `  t.typname AS "Internal name",
  CASE WHEN t.typrelid != 0
      THEN CAST('tuple' AS pg_catalog.text)
    WHEN t.typlen < 0
      THEN CAST('var' AS pg_catalog.text)
    ELSE CAST(t.typlen AS pg_catalog.text)
  END AS "Size",
  pg_catalog.array_to_string(
      ARRAY(
          SELECT e.enumlabel
          FROM pg_catalog.pg_enum e
          WHERE e.enumtypid = t.oid
          ORDER BY e.enumsortorder
      ),
      E'\\n'
  ) AS "Elements",
  pg_catalog.pg_get_userbyid(t.typowner) AS "Owner",
${acl('t.typacl')},
  `;
  }
  sql += `  pg_catalog.obj_description(t.oid, 'pg_type') as "Description"
FROM pg_catalog.pg_type t
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE (t.typrelid = 0 OR (SELECT c.relkind = 'c' FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid))
`;
  // Arrays only for who asks for them by "[]".
  if (pattern === null || !pattern.includes('[]')) sql += '  AND NOT EXISTS(SELECT 1 FROM pg_catalog.pg_type el WHERE el.oid = t.typelem AND el.typarray = t.oid)\n';
  sql += userOnly(system, pattern);
  const where = new Where(true), wanted = pattern === null ? null : typePattern(pattern);
  if (!where.pattern(wanted, { schema: 'n.nspname', name: 't.typname', alternative: 'pg_catalog.format_type(t.oid, NULL)', visible: 'pg_catalog.pg_type_is_visible(t.oid)' })) return false;
  return list(`${sql}${where.text}ORDER BY 1, 2;`, 'List of data types');
}

export async function listDomains(pattern: string | null, verbose: boolean, system: boolean): Promise<boolean> {
  const where = new Where(true);
  if (!where.pattern(pattern, { schema: 'n.nspname', name: 't.typname', visible: 'pg_catalog.pg_type_is_visible(t.oid)' })) return false;
  return list(`SELECT n.nspname as "Schema",
       t.typname as "Name",
       pg_catalog.format_type(t.typbasetype, t.typtypmod) as "Type",
       (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type bt
        WHERE c.oid = t.typcollation AND bt.oid = t.typbasetype AND t.typcollation <> bt.typcollation) as "Collation",
       CASE WHEN t.typnotnull THEN 'not null' END as "Nullable",
       t.typdefault as "Default",
       pg_catalog.array_to_string(ARRAY(
         SELECT pg_catalog.pg_get_constraintdef(r.oid, true) FROM pg_catalog.pg_constraint r WHERE t.oid = r.contypid
       ), ' ') as "Check"${verbose ? `,\n  ${acl('t.typacl')},\n       d.description as "Description"` : ''}
FROM pg_catalog.pg_type t
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
${verbose ? '     LEFT JOIN pg_catalog.pg_description d ON d.classoid = t.tableoid AND d.objoid = t.oid AND d.objsubid = 0\n' : ''}WHERE t.typtype = 'd'
${userOnly(system, pattern)}${where.text}ORDER BY 1, 2;`, 'List of domains');
}

export async function listCasts(pattern: string | null, verbose: boolean): Promise<boolean> {
  const source = new Where(true), target = new Where(true);
  for (const [where, s] of [[source, 's'], [target, 't']] as const) {
    if (!where.pattern(pattern, { schema: `n${s}.nspname`, name: `t${s}.typname`, alternative: `pg_catalog.format_type(t${s}.oid, NULL)`, visible: `pg_catalog.pg_type_is_visible(t${s}.oid)` })) return false;
  }
  return list(`SELECT pg_catalog.format_type(castsource, NULL) AS "Source type",
       pg_catalog.format_type(casttarget, NULL) AS "Target type",
       CASE WHEN c.castmethod = 'b' THEN '(binary coercible)'
            WHEN c.castmethod = 'i' THEN '(with inout)'
            ELSE p.proname
       END AS "Function",
       CASE WHEN c.castcontext = 'e' THEN 'no'
            WHEN c.castcontext = 'a' THEN 'in assignment'
            ELSE 'yes'
       END AS "Implicit?"${verbose ? ',\n       d.description AS "Description"' : ''}
FROM pg_catalog.pg_cast c LEFT JOIN pg_catalog.pg_proc p
     ON c.castfunc = p.oid
     LEFT JOIN pg_catalog.pg_type ts
     ON c.castsource = ts.oid
     LEFT JOIN pg_catalog.pg_namespace ns
     ON ns.oid = ts.typnamespace
     LEFT JOIN pg_catalog.pg_type tt
     ON c.casttarget = tt.oid
     LEFT JOIN pg_catalog.pg_namespace nt
     ON nt.oid = tt.typnamespace
${verbose ? '     LEFT JOIN pg_catalog.pg_description d\n     ON d.classoid = c.tableoid AND d.objoid = c.oid AND d.objsubid = 0\n' : ''}WHERE ( (true${source.text}) OR (true${target.text}) )
ORDER BY 1, 2;`, 'List of casts');
}

export async function listCollations(pattern: string | null, verbose: boolean, system: boolean): Promise<boolean> {
  const where = new Where(true);
  if (!where.pattern(pattern, { schema: 'n.nspname', name: 'c.collname', visible: 'pg_catalog.pg_collation_is_visible(c.oid)' })) return false;
  return list(`SELECT n.nspname AS "Schema",
       c.collname AS "Name",
       c.collcollate AS "Collate",
       c.collctype AS "Ctype",
       c.colliculocale AS "ICU Locale",
       CASE c.collprovider WHEN 'd' THEN 'default' WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' END AS "Provider",
       CASE WHEN c.collisdeterministic THEN 'yes' ELSE 'no' END AS "Deterministic?"${verbose ? ',\n       pg_catalog.obj_description(c.oid, \'pg_collation\') AS "Description"' : ''}
FROM pg_catalog.pg_collation c, pg_catalog.pg_namespace n
WHERE n.oid = c.collnamespace
${userOnly(system, pattern)}      AND c.collencoding IN (-1, pg_catalog.pg_char_to_encoding(pg_catalog.getdatabaseencoding()))
${where.text}ORDER BY 1, 2;`, 'List of collations');
}

export async function listConversions(pattern: string | null, verbose: boolean, system: boolean): Promise<boolean> {
  const where = new Where(true);
  if (!where.pattern(pattern, { schema: 'n.nspname', name: 'c.conname', visible: 'pg_catalog.pg_conversion_is_visible(c.oid)' })) return false;
  return list(`SELECT n.nspname AS "Schema",
       c.conname AS "Name",
       pg_catalog.pg_encoding_to_char(c.conforencoding) AS "Source",
       pg_catalog.pg_encoding_to_char(c.contoencoding) AS "Destination",
       CASE WHEN c.condefault THEN 'yes'
       ELSE 'no' END AS "Default?"${verbose ? ',\n       d.description AS "Description"' : ''}
FROM pg_catalog.pg_conversion c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
${verbose ? 'LEFT JOIN pg_catalog.pg_description d ON d.classoid = c.tableoid\n          AND d.objoid = c.oid AND d.objsubid = 0\n' : ''}WHERE true
${system || pattern !== null ? '' : '  AND n.nspname <> \'pg_catalog\'\n  AND n.nspname <> \'information_schema\'\n'}${where.text}ORDER BY 1, 2;`, 'List of conversions');
}

export async function listExtensions(pattern: string | null): Promise<boolean> {
  const where = new Where();
  if (!where.pattern(pattern, { name: 'e.extname' })) return false;
  return list(`SELECT e.extname AS "Name", e.extversion AS "Version", n.nspname AS "Schema", c.description AS "Description"
FROM pg_catalog.pg_extension e LEFT JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace LEFT JOIN pg_catalog.pg_description c ON c.objoid = e.oid AND c.classoid = 'pg_catalog.pg_extension'::pg_catalog.regclass
${where.text}ORDER BY 1;`, 'List of installed extensions');
}

/** \dx+: what belongs to each. */
export async function listExtensionContents(pattern: string | null): Promise<boolean> {
  const where = new Where();
  if (!where.pattern(pattern, { name: 'e.extname' })) return false;
  const found = await psqlExec(`SELECT e.extname, e.oid\nFROM pg_catalog.pg_extension e\n${where.text}ORDER BY 1;`);
  if (found === null) return false;
  if (found.rows.length === 0) {
    if (!pset.quiet) logError(pattern === null ? 'Did not find any extensions.' : `Did not find any extension named "${pattern}".`);
    return false;
  }
  for (const [name, oid] of found.rows) {
    const sql = `SELECT pg_catalog.pg_describe_object(classid, objid, 0) AS "Object description"
FROM pg_catalog.pg_depend
WHERE refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND refobjid = '${oid}' AND deptype = 'e'
ORDER BY 1;`;
    if (!await list(sql, `Objects in extension "${name}"`)) return false;
  }
  return true;
}
