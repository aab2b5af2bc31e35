// What hangs on a table: indexes, keys, policies, statistics, rules, triggers, publications; a view's text.
import type { Relation } from './describe_table.ts';
import { rowsOf, type TextRow } from './common.ts';

/** Rows, or none when the query failed, which has been told. */
const rowsOrNone = async (sql: string): Promise<TextRow[]> => (await rowsOf(sql)) ?? [];

export async function viewDefinition(oid: string): Promise<string | null> {
  return (await rowsOrNone(`SELECT pg_catalog.pg_get_viewdef('${oid}'::pg_catalog.oid, true);`))[0]?.[0] ?? null;
}

export async function indexes({ oid }: Relation): Promise<string[]> {
  const rows = await rowsOrNone(`SELECT c2.relname, i.indisprimary, i.indisunique, i.indisclustered, i.indisvalid, pg_catalog.pg_get_indexdef(i.indexrelid, 0, true),
  pg_catalog.pg_get_constraintdef(con.oid, true), contype, condeferrable, condeferred, i.indisreplident, c2.reltablespace
FROM pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_index i
  LEFT JOIN pg_catalog.pg_constraint con ON (conrelid = i.indrelid AND conindid = i.indexrelid AND contype IN ('p','u','x'))
WHERE c.oid = '${oid}' AND c.oid = i.indrelid AND i.indexrelid = c2.oid
ORDER BY i.indisprimary DESC, c2.relname;`);
  if (rows.length === 0) return [];
  const lines: string[] = [];
  for (const row of rows) {
    const t = (i: number): boolean => row[i] === 't';
    let line = `    "${row[0]}"`;
    if (row[7] === 'x') line += ` ${row[6]}`;
    else {
      if (t(1)) line += ' PRIMARY KEY,';
      else if (t(2)) line += row[7] === 'u' ? ' UNIQUE CONSTRAINT,' : ' UNIQUE,';
      const definition = row[5]!, using = definition.indexOf(' USING ');
      line += ` ${using >= 0 ? definition.slice(using + 7) : definition}`;
      if (t(8)) line += ' DEFERRABLE';
      if (t(9)) line += ' INITIALLY DEFERRED';
    }
    if (t(3)) line += ' CLUSTER';
    if (!t(4)) line += ' INVALID';
    if (t(10)) line += ' REPLICA IDENTITY';
    if (row[11] !== '0') {
      const space = (await rowsOrNone(`SELECT spcname FROM pg_catalog.pg_tablespace\nWHERE oid = '${row[11]}';`))[0]?.[0];
      if (space !== null && space !== undefined) line += `, tablespace "${space}"`;
    }
    lines.push(line);
  }
  return ['Indexes:', ...lines];
}

export async function foreignKeys({ oid, isPartition, kind }: Relation): Promise<string[]> {
  const partitions = isPartition || kind === 'p', footers: string[] = [];
  const keys = await rowsOrNone(partitions ? `SELECT conrelid = '${oid}'::pg_catalog.regclass AS sametable,
       conname,
       pg_catalog.pg_get_constraintdef(oid, true) AS condef,
       conrelid::pg_catalog.regclass AS ontable
  FROM pg_catalog.pg_constraint,
       pg_catalog.pg_partition_ancestors('${oid}')
 WHERE conrelid = relid AND contype = 'f' AND conparentid = 0
ORDER BY sametable DESC, conname;` : `SELECT true as sametable, conname,
  pg_catalog.pg_get_constraintdef(r.oid, true) as condef,
  conrelid::pg_catalog.regclass AS ontable
FROM pg_catalog.pg_constraint r
WHERE r.conrelid = '${oid}' AND r.contype = 'f'
     AND conparentid = 0
ORDER BY conname`);
  if (keys.length > 0) footers.push('Foreign-key constraints:', ...keys.map(([same, name, definition, table]) => (same === 'f' ? `    TABLE "${table}" CONSTRAINT "${name}" ${definition}` : `    "${name}" ${definition}`)));
  const others = await rowsOrNone(`SELECT conname, conrelid::pg_catalog.regclass AS ontable,
       pg_catalog.pg_get_constraintdef(oid, true) AS condef
  FROM pg_catalog.pg_constraint c
 WHERE confrelid IN (SELECT pg_catalog.pg_partition_ancestors('${oid}')
                     UNION ALL VALUES ('${oid}'::pg_catalog.regclass))
       AND contype = 'f' AND conparentid = 0
ORDER BY conname;`);
  if (others.length > 0) footers.push('Referenced by:', ...others.map(([name, table, definition]) => `    TABLE "${table}" CONSTRAINT "${name}" ${definition}`));
  return footers;
}

export async function policies({ oid, rowSecurity, forceRowSecurity }: Relation): Promise<string[]> {
  const rows = await rowsOrNone(`SELECT pol.polname, pol.polpermissive,
  CASE WHEN pol.polroles = '{0}' THEN NULL ELSE pg_catalog.array_to_string(array(select rolname from pg_catalog.pg_roles where oid = any (pol.polroles) order by 1),',') END,
  pg_catalog.pg_get_expr(pol.polqual, pol.polrelid),
  pg_catalog.pg_get_expr(pol.polwithcheck, pol.polrelid),
  CASE pol.polcmd
    WHEN 'r' THEN 'SELECT'
    WHEN 'a' THEN 'INSERT'
    WHEN 'w' THEN 'UPDATE'
    WHEN 'd' THEN 'DELETE'
    END AS cmd
FROM pg_catalog.pg_policy pol
WHERE pol.polrelid = '${oid}' ORDER BY 1;`);
  const state = rowSecurity ? (forceRowSecurity ? ' (forced row security enabled)' : rows.length > 0 ? '' : ' (row security enabled)') : ' (row security disabled)';
  if (rows.length === 0) return rowSecurity ? [`Policies${state}: (none)`] : [];
  return [`Policies${state}:`, ...rows.map(([name, permissive, roles, using, check, command]) =>
    `    POLICY "${name}"${permissive === 'f' ? ' AS RESTRICTIVE' : ''}${command === null ? '' : ` FOR ${command}`}${roles === null ? '' : `\n      TO ${roles}`}${using === null ? '' : `\n      USING (${using})`}${check === null ? '' : `\n      WITH CHECK (${check})`}`)];
}

export async function statistics({ oid }: Relation): Promise<string[]> {
  const rows = await rowsOrNone(`SELECT oid, stxrelid::pg_catalog.regclass, stxnamespace::pg_catalog.regnamespace::pg_catalog.text AS nsp, stxname,
pg_catalog.pg_get_statisticsobjdef_columns(oid) AS columns,
  'd' = any(stxkind) AS ndist_enabled,
  'f' = any(stxkind) AS deps_enabled,
  'm' = any(stxkind) AS mcv_enabled,
stxstattarget
FROM pg_catalog.pg_statistic_ext
WHERE stxrelid = '${oid}'
ORDER BY nsp, stxname;`);
  if (rows.length === 0) return [];
  return ['Statistics objects:', ...rows.map((row) => {
    const kinds = [['ndistinct', row[5]], ['dependencies', row[6]], ['mcv', row[7]]].filter(([, on]) => on === 't').map(([name]) => name);
    return `    "${row[2]}.${row[3]}"${kinds.length === 0 || kinds.length === 3 ? '' : ` (${kinds.join(', ')})`} ON ${row[4]} FROM ${row[1]}${row[8] === '-1' ? '' : `; STATISTICS ${row[8]}`}`;
  })];
}

const RULES: [title: string, enabled: string][] = [['Rules:', 'O'], ['Disabled rules:', 'D'], ['Rules firing always:', 'A'], ['Rules firing on replica only:', 'R']];

export async function rules({ oid }: Relation): Promise<string[]> {
  const rows = await rowsOrNone(`SELECT r.rulename, trim(trailing ';' from pg_catalog.pg_get_ruledef(r.oid, true)), ev_enabled\nFROM pg_catalog.pg_rewrite r\nWHERE r.ev_class = '${oid}' ORDER BY 1;`);
  return RULES.flatMap(([title, enabled]) => {
    const some = rows.filter((r) => r[2] === enabled);
    return some.length === 0 ? [] : [title, ...some.map((r) => `    ${r[1]!.slice(12)}`)];
  });
}

export async function publications({ oid }: Relation): Promise<string[]> {
  const rows = await rowsOrNone(`SELECT pubname
     , NULL
     , NULL
FROM pg_catalog.pg_publication p
     JOIN pg_catalog.pg_publication_namespace pn ON p.oid = pn.pnpubid
     JOIN pg_catalog.pg_class pc ON pc.relnamespace = pn.pnnspid
WHERE pc.oid ='${oid}' and pg_catalog.pg_relation_is_publishable('${oid}')
UNION
SELECT pubname
     , pg_get_expr(pr.prqual, c.oid)
     , (CASE WHEN pr.prattrs IS NOT NULL THEN
         (SELECT string_agg(attname, ', ')
           FROM pg_catalog.generate_series(0, pg_catalog.array_upper(pr.prattrs::pg_catalog.int2[], 1)) s,
                pg_catalog.pg_attribute
          WHERE attrelid = pr.prrelid AND attnum = prattrs[s])
        ELSE NULL END) FROM pg_catalog.pg_publication p
     JOIN pg_catalog.pg_publication_rel pr ON p.oid = pr.prpubid
     JOIN pg_catalog.pg_class c ON c.oid = pr.prrelid
WHERE pr.prrelid = '${oid}'
UNION
SELECT pubname
     , NULL
     , NULL
FROM pg_catalog.pg_publication p
WHERE p.puballtables AND pg_catalog.pg_relation_is_publishable('${oid}')
ORDER BY 1;`);
  if (rows.length === 0) return [];
  return ['Publications:', ...rows.map(([name, condition, columns]) => `    "${name}"${columns === null ? '' : ` (${columns})`}${condition === null ? '' : ` WHERE ${condition}`}`)];
}

export async function triggers({ oid }: Relation): Promise<string[]> {
  const rows = await rowsOrNone(`SELECT t.tgname, pg_catalog.pg_get_triggerdef(t.oid, true), t.tgenabled, t.tgisinternal,
  CASE WHEN t.tgparentid != 0 THEN
    (SELECT u.tgrelid::pg_catalog.regclass
     FROM pg_catalog.pg_trigger AS u,
          pg_catalog.pg_partition_ancestors(t.tgrelid) WITH ORDINALITY AS a(relid, depth)
     WHERE u.tgname = t.tgname AND u.tgrelid = a.relid
           AND u.tgparentid = 0
     ORDER BY a.depth LIMIT 1)
  END AS parent
FROM pg_catalog.pg_trigger t
WHERE t.tgrelid = '${oid}' AND (NOT t.tgisinternal OR (t.tgisinternal AND t.tgenabled = 'D'))
ORDER BY 1;`);
  const groups: [title: string, belongs: (enabled: string, internal: boolean) => boolean][] = [
    ['Triggers:', (e) => e === 'O'], ['Disabled user triggers:', (e, i) => e === 'D' && !i], ['Disabled internal triggers:', (e, i) => e === 'D' && i], ['Triggers firing always:', (e) => e === 'A'],
    ['Triggers firing on replica only:', (e) => e === 'R'],
  ];
  return groups.flatMap(([title, belongs]) => {
    const some = rows.filter((r) => belongs(r[2]!, r[3] === 't'));
    return some.length === 0 ? [] : [title, ...some.map((r) => `    ${r[1]!.slice(r[1]!.indexOf(' TRIGGER ') + 9)}${r[4] === null ? '' : `, ON TABLE ${r[4]}`}`)];
  });
}
