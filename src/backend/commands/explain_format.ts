// EXPLAIN's output as JSON, XML and YAML: one tree of labels and values, printed three ways (ExplainProperty... of PostgreSQL's
// explain.c).

type Value = string | number | boolean | null | readonly Value[] | { readonly [label: string]: Value };

export const PRINT_EXPLAIN: Record<'json' | 'xml' | 'yaml', (top: Record<string, unknown>) => string> = {
  json: (top) => printJson([top]),
  xml: (top) => ['<explain xmlns="http://www.postgresql.org/2009/explain">', ...xmlLines('Query', top as Value, 1), '</explain>'].join('\n'),
  yaml: (top) => yamlMember(top as Record<string, Value>, 0).join('\n'),
};

/** JSON as PostgreSQL lays it out; arrays of plain values stand in one line, an empty group (Triggers) does not. */
function printJson(value: unknown, indent = 0, inArray = false): string {
  const pad = '  '.repeat(indent);
  if (Array.isArray(value)) {
    if (value.length === 0 && !inArray) return `[\n${pad}]`;
    if (value.every((v) => typeof v !== 'object')) return `[${value.map((v) => JSON.stringify(v)).join(', ')}]`;
    return `[\n${value.map((v) => `${pad}  ${printJson(v, indent + 1, true)}`).join(',\n')}\n${pad}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    return `{\n${entries.map(([k, v]) => `${pad}  ${JSON.stringify(k)}: ${printNumber(k, v) ?? printJson(v, indent + 1)}`).join(',\n')}\n${pad}}`;
  }
  return JSON.stringify(value);
}
const printNumber = (label: string, value: unknown): string | null => {
  if (typeof value !== 'number') return null;
  if (/Cost$/.test(label)) return value.toFixed(2);
  return /Time$/.test(label) ? value.toFixed(3) : null;
};

// ------------------------------------------------------------------ XML

const escapeXml = (text: string): string => text.replace(/[&<>"\r]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#x0d;' }[c]!));
/** Anything that may not be in a name is a hyphen. */
const xmlName = (label: string): string => label.replace(/[^A-Za-z0-9_.-]/g, '-');
/** What the members of a list are called. */
const MEMBER: Record<string, string> = { Plans: 'Plan', Triggers: 'Trigger', 'Target Tables': 'Target-Table', 'Grouping Sets': 'Grouping-Set', 'Group Keys': 'Group-Key', 'Hash Keys': 'Hash-Key' };

function xmlLines(label: string, value: Value, indent: number): string[] {
  const pad = '  '.repeat(indent);
  const name = xmlName(label);
  if (Array.isArray(value)) return [`${pad}<${name}>`, ...value.flatMap((v: Value) => xmlLines(MEMBER[label] ?? 'Item', v, indent + 1)), `${pad}</${name}>`];
  if (typeof value === 'object' && value !== null) return [`${pad}<${name}>`, ...Object.entries(value).flatMap(([k, v]) => xmlLines(k, v, indent + 1)), `${pad}</${name}>`];
  return [`${pad}<${name}>${escapeXml(plainText(label, value as string | number | boolean))}</${name}>`];
}

const plainText = (label: string, value: string | number | boolean): string => printNumber(label, value) ?? String(value);

// ------------------------------------------------------------------ YAML

function yamlMember(value: Record<string, Value>, indent: number): string[] {
  const lines = yamlEntries(value, indent + 1);
  lines[0] = `${'  '.repeat(indent)}- ${lines[0]!.trimStart()}`;
  return lines;
}

function yamlEntries(value: { readonly [label: string]: Value }, indent: number): string[] {
  const pad = '  '.repeat(indent);
  return Object.entries(value).flatMap(([label, v]) => {
    if (Array.isArray(v)) {
      if (v.length === 0) return [`${pad}${label}: `];
      return [`${pad}${label}: `, ...v.flatMap((m: Value) => (Array.isArray(m) ? [`${pad}  - [${m.map((x) => JSON.stringify(x)).join(', ')}]`] : typeof m === 'object' && m !== null ? yamlMember(m as Record<string, Value>, indent + 1) : [`${pad}  - ${JSON.stringify(m)}`]))];
    }
    if (typeof v === 'object' && v !== null) return [`${pad}${label}: `, ...yamlEntries(v as { readonly [label: string]: Value }, indent + 1)];
    return [`${pad}${label}: ${typeof v === 'string' ? JSON.stringify(v) : plainText(label, v as number | boolean)}`];
  });
}
