// \d NAME: one relation: its columns, and below them all that hangs on it (describeOneTableDetails of describe.c).
import { psqlExec, rowsOf, showResult, showTable, type TextRow } from './common.ts';
import { foreignKeys, indexes, policies, publications, rules, statistics, triggers, viewDefinition } from './describe_table_parts.ts';
import type { QueryTable } from './print.ts';
import { pset } from './settings.ts';

export interface Relation {
  oid: string;
  schema: string;
  name: string;
  kind: string;
  checks: number;
  hasIndex: boolean;
  hasRules: boolean;
  hasTriggers: boolean;
  rowSecurity: boolean;
  forceRowSecurity: boolean;
  isPartition: boolean;
  options: string;
  tablespace: string;
  ofType: string;
  persistence: string;
  replicaIdentity: string;
  accessMethod: string | null;
}

/** Rows of one of psql's queries; null when it failed. */
/** A query failed: what was to be shown is not. */
class Failed extends Error {}
async function need(sql: string): Promise<TextRow[]> {
  const rows = await rowsOf(sql);
  if (rows === null) throw new Failed();
  return rows;
}

async function relation(schema: string, name: string, oid: string, verbose: boolean): Promise<Relation | null> {
  const options = verbose ? 'pg_catalog.array_to_string(c.reloptions || array(select \'toast.\' || x from pg_catalog.unnest(tc.reloptions) x), \', \')\n' : '\'\'';
  const [row] = await need(`SELECT c.relchecks, c.relkind, c.relhasindex, c.relhasrules, c.relhastriggers, c.relrowsecurity, c.relforcerowsecurity, false AS relhasoids, c.relispartition, ${options}, c.reltablespace, CASE WHEN c.reloftype = 0 THEN '' ELSE c.reloftype::pg_catalog.regtype::pg_catalog.text END, c.relpersistence, c.relreplident, am.amname
FROM pg_catalog.pg_class c
 LEFT JOIN pg_catalog.pg_class tc ON (c.reltoastrelid = tc.oid)
LEFT JOIN pg_catalog.pg_am am ON (c.relam = am.oid)
WHERE c.oid = '${oid}';`);
  if (row === undefined) return null;
  const t = (i: number): boolean => row[i] === 't';
  return {
    oid, schema, name, checks: Number(row[0]), kind: row[1]!, hasIndex: t(2), hasRules: t(3), hasTriggers: t(4), rowSecurity: t(5), forceRowSecurity: t(6), isPartition: t(8), options: row[9] ?? '',
    tablespace: row[10]!, ofType: row[11]!, persistence: row[12]!, replicaIdentity: row[13]!, accessMethod: row[14]!,
  };
}

const TITLES: Record<string, string> = { r: 'Table', v: 'View', m: 'Materialized view', i: 'Index', I: 'Partitioned index', t: 'TOAST table', c: 'Composite type', f: 'Foreign table', p: 'Partitioned table', S: 'Sequence' };
const titleOf = (rel: Relation): string => {
  const title = TITLES[rel.kind] ?? `?${rel.kind}?`, unlogged = rel.persistence === 'u' && 'rmiIpS'.includes(rel.kind);
  return `${unlogged ? `Unlogged ${title[0]!.toLowerCase()}${title.slice(1)}` : title} "${rel.schema}.${rel.name}"`;
};

export async function describeOne(schema: string, name: string, oid: string, verbose: boolean): Promise<boolean> {
  try {
    const rel = await relation(schema, name, oid, verbose);
    if (rel === null) return false;
    if (rel.kind === 'S') await describeSequence(rel);
    else await describeRelation(rel, verbose);
    return true;
  } catch (error) {
    if (error instanceof Failed) return false;
    throw error;
  }
}

async function describeSequence(rel: Relation): Promise<void> {
  const result = await psqlExec(`SELECT pg_catalog.format_type(seqtypid, NULL) AS "Type",
       seqstart AS "Start",
       seqmin AS "Minimum",
       seqmax AS "Maximum",
       seqincrement AS "Increment",
       CASE WHEN seqcycle THEN 'yes' ELSE 'no' END AS "Cycles?",
       seqcache AS "Cache"
FROM pg_catalog.pg_sequence
WHERE seqrelid = '${rel.oid}';`);
  if (result === null) throw new Failed();
  const [owner] = await need(`SELECT pg_catalog.quote_ident(nspname) || '.' ||
   pg_catalog.quote_ident(relname) || '.' ||
   pg_catalog.quote_ident(attname),
   d.deptype
FROM pg_catalog.pg_class c
INNER JOIN pg_catalog.pg_depend d ON c.oid=d.refobjid
INNER JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace
INNER JOIN pg_catalog.pg_attribute a ON (
 a.attrelid=c.oid AND
 a.attnum=d.refobjsubid)
WHERE d.classid='pg_catalog.pg_class'::pg_catalog.regclass
 AND d.refclassid='pg_catalog.pg_class'::pg_catalog.regclass
 AND d.objid='${rel.oid}'
 AND d.deptype IN ('a', 'i')`);
  const footers = owner === undefined ? null : [`${owner[1] === 'a' ? 'Owned by' : 'Sequence for identity column'}: ${owner[0]}`];
  showResult(result as unknown as QueryTable, { ...pset.popt, nullText: '', title: null, defaultFooter: false }, pset.out, titleOf(rel), footers);
}

interface Column { header: string; value: (row: TextRow) => string }

const STORAGE: Record<string, string> = { p: 'plain', m: 'main', x: 'extended', e: 'external' };
const COMPRESSION: Record<string, string> = { p: 'pglz', l: 'lz4', '': '' };

/** The query's columns and what is shown of them, in one order. */
function columnsOf(rel: Relation, verbose: boolean): { select: string; columns: Column[] } {
  const { kind } = rel, columns: Column[] = [{ header: 'Column', value: (r) => r[0]! }, { header: 'Type', value: (r) => r[1]! }];
  let select = 'SELECT a.attname,\n  pg_catalog.format_type(a.atttypid, a.atttypmod)', n = 2;
  const add = (sql: string, ...shown: { header: string; value: (text: string | null) => string }[]): void => {
    select += `,\n${sql}`;
    const at = n++;
    for (const { header, value } of shown) columns.push({ header, value: (r) => value(r[at]!) });
  };
  const text = (value: string | null): string => value ?? '';
  if ('rvmfcp'.includes(kind)) {
    select += `,
  (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true)
   FROM pg_catalog.pg_attrdef d
   WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef),
  a.attnotnull,
  (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t
   WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation,
  a.attidentity,
  a.attgenerated`;
    n = 7;
    columns.push({ header: 'Collation', value: (r) => r[4] ?? '' }, { header: 'Nullable', value: (r) => (r[3] === 't' ? 'not null' : '') }, {
      header: 'Default',
      value: (r) => (r[5] === 'a' ? 'generated always as identity' : r[5] === 'd' ? 'generated by default as identity' : r[6] === 's' ? `generated always as (${r[2]}) stored` : r[2] ?? ''),
    });
  }
  if (kind === 'i' || kind === 'I') {
    add(`  CASE WHEN a.attnum <= (SELECT i.indnkeyatts FROM pg_catalog.pg_index i WHERE i.indexrelid = '${rel.oid}') THEN 'yes' ELSE 'no' END AS is_key`, { header: 'Key?', value: text });
    add('  pg_catalog.pg_get_indexdef(a.attrelid, a.attnum, TRUE) AS indexdef', { header: 'Definition', value: text });
  }
  if (kind === 'f') {
    add('  CASE WHEN attfdwoptions IS NULL THEN \'\' ELSE   \'(\' || pg_catalog.array_to_string(ARRAY(SELECT pg_catalog.quote_ident(option_name) || \' \' || pg_catalog.quote_literal(option_value)  FROM   pg_catalog.pg_options_to_table(attfdwoptions)), \', \') || \')\' END AS attfdwoptions', { header: 'FDW options', value: text });
  }
  if (verbose) {
    add('  a.attstorage', { header: 'Storage', value: (v) => STORAGE[v ?? ''] ?? '???' });
    if (!pset.hideCompression && 'rpm'.includes(kind)) add('  a.attcompression AS attcompression', { header: 'Compression', value: (v) => COMPRESSION[v ?? ''] ?? '???' });
    if ('rmiIfp'.includes(kind)) add('  CASE WHEN a.attstattarget=-1 THEN NULL ELSE a.attstattarget END AS attstattarget', { header: 'Stats target', value: text });
    if ('rvmfcp'.includes(kind)) add('  pg_catalog.col_description(a.attrelid, a.attnum)', { header: 'Description', value: text });
  }
  return { select: `${select}\nFROM pg_catalog.pg_attribute a\nWHERE a.attrelid = '${rel.oid}' AND a.attnum > 0 AND NOT a.attisdropped\nORDER BY a.attnum;`, columns };
}

async function describeRelation(rel: Relation, verbose: boolean): Promise<void> {
  const { select, columns } = columnsOf(rel, verbose), rows = await need(select);
  const footers: string[] = [], { kind, oid } = rel;
  const view = (kind === 'v' || kind === 'm') && verbose ? await viewDefinition(oid) : null;
  if (rel.isPartition) footers.push(...await partitionOf(rel, verbose));
  if (kind === 'p') footers.push(`Partition key: ${(await need(`SELECT pg_catalog.pg_get_partkeydef('${oid}'::pg_catalog.oid);`))[0]?.[0] ?? ''}`);
  if (kind === 't') {
    const [owner] = await need(`SELECT n.nspname, c.relname\nFROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\nWHERE reltoastrelid = '${oid}';`);
    if (owner !== undefined) footers.push(`Owning table: "${owner[0]}.${owner[1]}"`);
  }
  if (kind === 'i' || kind === 'I') footers.push(...await indexFooter(rel));
  else if ('rmfpt'.includes(kind)) {
    if (rel.hasIndex) footers.push(...await indexes(rel));
    if (rel.checks > 0) {
      const checks = await need(`SELECT r.conname, pg_catalog.pg_get_constraintdef(r.oid, true)\nFROM pg_catalog.pg_constraint r\nWHERE r.conrelid = '${oid}' AND r.contype = 'c'\nORDER BY 1;`);
      if (checks.length > 0) footers.push('Check constraints:', ...checks.map((c) => `    "${c[0]}" ${c[1]}`));
    }
    if (rel.hasTriggers || kind === 'p') footers.push(...await foreignKeys(rel));
    footers.push(...await policies(rel), ...await statistics(rel));
    if (rel.hasRules && kind !== 'm') footers.push(...await rules(rel));
    footers.push(...await publications(rel));
  }
  if (view !== null) {
    footers.push('View definition:', view);
    if (rel.hasRules) {
      const found = await need(`SELECT r.rulename, trim(trailing ';' from pg_catalog.pg_get_ruledef(r.oid, true))\nFROM pg_catalog.pg_rewrite r\nWHERE r.ev_class = '${oid}' AND r.rulename != '_RETURN' ORDER BY 1;`);
      if (found.length > 0) footers.push('Rules:', ...found.map((r) => ` ${r[1]!.slice(12)}`));
    }
  }
  if (rel.hasTriggers) footers.push(...await triggers(rel));
  if ('rmfpIt'.includes(kind)) footers.push(...await tableFooters(rel, verbose));
  if (verbose && rel.options !== '') footers.push(`Options: ${rel.options}`);
  showTable({ title: titleOf(rel), headers: columns.map((c) => c.header), aligns: columns.map(() => 'l' as const), rows: rows.map((row) => columns.map((c) => c.value(row))), footers },
    { ...pset.popt, nullText: '', title: null, expanded: 'off', defaultFooter: false });
}

async function partitionOf(rel: Relation, verbose: boolean): Promise<string[]> {
  const [row] = await need(`SELECT inhparent::pg_catalog.regclass,
  pg_catalog.pg_get_expr(c.relpartbound, c.oid),
  inhdetachpending${verbose ? ',\n  pg_catalog.pg_get_partition_constraintdef(c.oid)' : ''}
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_inherits i ON c.oid = inhrelid
WHERE c.oid = '${rel.oid}';`);
  if (row === undefined) return [];
  const footers = [`Partition of: ${row[0]} ${row[1] ?? ''}${row[2] === 't' ? ' DETACH PENDING' : ''}`];
  if (verbose) footers.push((row[3] ?? '') === '' ? 'No partition constraint' : `Partition constraint: ${row[3]}`);
  return footers;
}

async function tablespace(rel: Relation): Promise<string | null> {
  if (rel.tablespace === '0') return null;
  const [row] = await need(`SELECT spcname FROM pg_catalog.pg_tablespace\nWHERE oid = '${rel.tablespace}';`);
  return row?.[0] ?? null;
}

async function indexFooter(rel: Relation): Promise<string[]> {
  const kinds = 'SELECT 1 FROM pg_catalog.pg_constraint WHERE conrelid = i.indrelid AND conindid = i.indexrelid AND contype IN (\'p\',\'u\',\'x\')';
  const [row] = await need(`SELECT i.indisunique, i.indisprimary, i.indisclustered, i.indisvalid,
  (NOT i.indimmediate) AND EXISTS (${kinds} AND condeferrable) AS condeferrable,
  (NOT i.indimmediate) AND EXISTS (${kinds} AND condeferred) AS condeferred,
i.indisreplident,
i.indnullsnotdistinct,
  a.amname, c2.relname, pg_catalog.pg_get_expr(i.indpred, i.indrelid, true)
FROM pg_catalog.pg_index i, pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_am a
WHERE i.indexrelid = c.oid AND c.oid = '${rel.oid}' AND c.relam = a.oid
AND i.indrelid = c2.oid;`);
  if (row === undefined) throw new Failed();
  const t = (i: number): boolean => row[i] === 't';
  let text = t(1) ? 'primary key, ' : t(0) ? `unique${t(7) ? ' nulls not distinct' : ''}, ` : '';
  text += `${row[8]}, for table "${rel.schema}.${row[9]}"`;
  if (row[10] !== null && row[10] !== '') text += `, predicate (${row[10]})`;
  if (t(2)) text += ', clustered';
  if (!t(3)) text += ', invalid';
  if (t(4)) text += ', deferrable';
  if (t(5)) text += ', initially deferred';
  if (t(6)) text += ', replica identity';
  const space = rel.kind === 'i' ? await tablespace(rel) : null;
  return space === null ? [text] : [text, `Tablespace: "${space}"`];
}

/** A list whose lines after the first stand below its first item. */
const aligned = (label: string, items: readonly string[]): string[] => items.map((item, i) => `${i === 0 ? `${label}: ` : ' '.repeat(label.length + 2)}${item}${i < items.length - 1 ? ',' : ''}`);

async function tableFooters(rel: Relation, verbose: boolean): Promise<string[]> {
  const { kind, oid } = rel, footers: string[] = [];
  if (kind === 'f') {
    const [row] = await need(`SELECT s.srvname,
  pg_catalog.array_to_string(ARRAY(
    SELECT pg_catalog.quote_ident(option_name) || ' ' || pg_catalog.quote_literal(option_value)
    FROM pg_catalog.pg_options_to_table(ftoptions)),  ', ')
FROM pg_catalog.pg_foreign_table f,
     pg_catalog.pg_foreign_server s
WHERE f.ftrelid = '${oid}' AND s.oid = f.ftserver;`);
    if (row !== undefined) {
      footers.push(`Server: ${row[0]}`);
      if (row[1] !== null && row[1] !== '') footers.push(`FDW options: (${row[1]})`);
    }
  }
  const parents = await need(`SELECT c.oid::pg_catalog.regclass\nFROM pg_catalog.pg_class c, pg_catalog.pg_inherits i\nWHERE c.oid = i.inhparent AND i.inhrelid = '${oid}'\n  AND c.relkind != 'p' AND c.relkind != 'I'\nORDER BY inhseqno;`);
  footers.push(...aligned('Inherits', parents.map((p) => p[0]!)));
  const children = await need(`SELECT c.oid::pg_catalog.regclass, c.relkind, inhdetachpending, pg_catalog.pg_get_expr(c.relpartbound, c.oid)\nFROM pg_catalog.pg_class c, pg_catalog.pg_inherits i\nWHERE c.oid = i.inhrelid AND i.inhparent = '${oid}'\nORDER BY pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', c.oid::pg_catalog.regclass::pg_catalog.text;`);
  const partitioned = kind === 'p' || kind === 'I';
  if (partitioned && children.length === 0) footers.push('Number of partitions: 0');
  else if (!verbose && children.length > 0) footers.push(`Number of ${partitioned ? 'partitions' : 'child tables'}: ${children.length} (Use \\d+ to list them.)`);
  else {
    footers.push(...aligned(partitioned ? 'Partitions' : 'Child tables', children.map(([name, childKind, detaching, bound]) =>
      `${name}${partitioned && bound !== null ? ` ${bound}` : ''}${childKind === 'p' || childKind === 'I' ? ', PARTITIONED' : childKind === 'f' ? ', FOREIGN' : ''}${detaching === 't' ? ' (DETACH PENDING)' : ''}`)));
  }
  if (rel.ofType !== '') footers.push(`Typed table of type: ${rel.ofType}`);
  const usual = rel.schema === 'pg_catalog' ? 'n' : 'd';
  if (verbose && (kind === 'r' || kind === 'm') && rel.replicaIdentity !== 'i' && rel.replicaIdentity !== usual) {
    footers.push(`Replica Identity: ${rel.replicaIdentity === 'f' ? 'FULL' : rel.replicaIdentity === 'n' ? 'NOTHING' : '???'}`);
  }
  const space = await tablespace(rel);
  if (space !== null) footers.push(`Tablespace: "${space}"`);
  if (verbose && rel.accessMethod !== null && rel.accessMethod !== '' && !pset.hideTableAm) footers.push(`Access method: ${rel.accessMethod}`);
  return footers;
}
