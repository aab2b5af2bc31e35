// The type xml: a document, or any content of an element, kept as it was written and checked to be well-formed.
import { PgError, type ErrorFields } from '../../../common/errors.ts';
import type { ConditionName } from '../../../common/sqlstate.ts';
import { whenMemoryIsShort } from '../../utils/memory_limit.ts';
import { sendWarning } from '../../utils/session.ts';
import { settings } from '../../utils/settings.ts';
import { byPieces, joinTexts } from '../characters.ts';
import { ArrayValue, type Datum, type Oid } from '../datum.ts';
import { registerBuiltins } from '../fmgr.ts';
import { TEXTOID, XMLOID } from '../oids.ts';
import { receiveText, sendText } from '../wire.ts';
import { XmlParser, type XmlProblem } from './parser.ts';
import { serialize, stringValue, type XmlNode } from './tree.ts';
import { escapeXml, sqlToXml } from './values.ts';
import { evaluateXPath, toText, type XPathValue } from './xpath.ts';
import { parseXPath } from './xpath_parse.ts';

export type XmlOption = 'document' | 'content';

/** What stands in <?xml ... ?>; `rest` follows it. */
interface Declaration { version: string | null; standalone: 'yes' | 'no' | null; rest: string }

const SPACE = 'Space required.';
const NO_VERSION = 'Malformed declaration: missing version.';

/** The declaration at the start of the text (parse_xml_decl); a string is what is wrong with it. */
function parseDeclaration(text: string): Declaration | string {
  const none: Declaration = { version: null, standalone: null, rest: text };
  // A processing instruction may have a name that only begins so.
  if (!/^<\?xml(?![-\w.:\u0080-\uffff])/.test(text)) return none;
  let at = 5;
  const blanks = (): boolean => {
    const found = /^[ \t\r\n]+/.exec(text.slice(at));
    at += found?.[0].length ?? 0;
    return found !== null;
  };
  const value = (name: string): string | null => {
    const found = new RegExp(`^${name}[ \\t\\r\\n]*=[ \\t\\r\\n]*("[^"]*"|'[^']*')`).exec(text.slice(at));
    if (found === null) return null;
    at += found[0].length;
    return found[1]!.slice(1, -1);
  };
  if (!blanks()) return SPACE;
  const version = value('version');
  if (version === null) return NO_VERSION;
  let spaced = blanks();
  if (text.startsWith('encoding', at)) {
    if (!spaced) return SPACE;
    if (value('encoding') === null) return 'Missing encoding in text declaration.';
    spaced = blanks();
  }
  let standalone: string | null = null;
  if (text.startsWith('standalone', at)) {
    if (!spaced) return SPACE;
    standalone = value('standalone');
    if (standalone !== 'yes' && standalone !== 'no') return "standalone accepts only 'yes' or 'no'.";
    blanks();
  }
  if (!text.startsWith('?>', at)) return "Parsing XML declaration: '?>' expected.";
  return { version, standalone, rest: text.slice(at + 2) };
}

/** The declaration of a value that was checked when it was made. */
function declarationOf(text: string): Declaration {
  const found = parseDeclaration(text);
  return typeof found === 'string' ? { version: null, standalone: null, rest: text } : found;
}

/** Written only where it says more than everybody assumes. */
function writeDeclaration({ version, standalone }: { version: string | null; standalone: 'yes' | 'no' | null }): string {
  if ((version === null || version === '1.0') && standalone === null) return '';
  return `<?xml version="${version ?? '1.0'}"${standalone === null ? '' : ` standalone="${standalone}"`}?>`;
}

const detailOf = (problems: readonly XmlProblem[]): ErrorFields => ({ detail: problems.map((p) => p.text).join('\n') });

/** Content that begins with a document type is a document. */
const hasDocumentType = (text: string): boolean => /^(?:\s|<!--(?:(?!-->)[^])*-->|<\?(?:(?!\?>)[^])*\?>)*<!DOCTYPE/.test(text);

function problemsOf(text: string, option: XmlOption): { root: XmlNode; problems: XmlProblem[]; declaration?: string } {
  let content = text;
  if (option === 'content') {
    const declaration = parseDeclaration(text);
    if (typeof declaration === 'string') return { root: new XmlParser('').content().root, problems: [], declaration };
    content = declaration.rest;
    if (!hasDocumentType(content)) {
      const parsed = new XmlParser(content).content();
      return { root: parsed.root, problems: parsed.problems.filter((p) => p.level === 'error' && !p.namespace) };
    }
  }
  const parsed = new XmlParser(text).document(true);
  return { root: parsed.root, problems: parsed.problems.filter((p) => p.level === 'error' && !p.namespace) };
}

/** Refuses what is not well-formed (xml_parse). */
export function checkXml(text: string, option: XmlOption): string {
  const { problems, declaration } = problemsOf(text, option);
  const [condition, message]: [ConditionName, string] = option === 'document' ? ['invalid_xml_document', 'invalid XML document'] : ['invalid_xml_content', 'invalid XML content'];
  if (declaration !== undefined) throw new PgError(condition, `${message}: invalid XML declaration`, { detail: declaration });
  if (problems.length > 0) throw new PgError(condition, message, detailOf(problems));
  return text;
}

function isWellFormed(text: string, option: XmlOption): boolean {
  const { problems, declaration } = problemsOf(text, option);
  return problems.length === 0 && declaration === undefined;
}

export const isDocument = (text: string): boolean => isWellFormed(text, 'document');

/** The tree of a value that must be a document, for XPath; what is odd in it is told. */
export function xmlTree(text: string): XmlNode {
  const { root, problems } = new XmlParser(declarationOf(text).rest).document(false);
  for (const p of problems) if (p.level === 'warning') sendWarning('warning', p.text);
  const errors = problems.filter((p) => p.level === 'error');
  if (errors.length > 0) throw new PgError('invalid_xml_document', 'could not parse XML document', detailOf(errors));
  return root;
}

const xmlIn = (text: string): string => checkXml(text, settings.xmloption as XmlOption);

/** For people: no encoding, for the client has its own. */
function xmlOut(text: string): string {
  if (!text.startsWith('<?xml')) return text;
  const declaration = parseDeclaration(text);
  if (typeof declaration === 'string') return text;
  return writeDeclaration(declaration) + declaration.rest.replace(/^\n/, '');
}

export function xmlConcat(values: readonly (string | null)[]): string | null {
  const given = values.filter((v) => v !== null);
  if (given.length === 0) return null;
  const parts = given.map(declarationOf);
  const versions = parts.map((p) => p.version);
  const version = versions.every((v) => v !== null && v === versions[0]) ? versions[0]! : null;
  const standalone = parts.every((p) => p.standalone === 'yes') ? 'yes' : parts.every((p) => p.standalone !== null) && parts.some((p) => p.standalone === 'no') ? 'no' : null;
  return (version !== null || standalone === 'yes' ? writeDeclaration({ version, standalone }) : '') + joinTexts(parts.map((p) => p.rest), '');
}

/** What `concatTwo` made last, when it has no declaration and is no huge thing to keep. To look at a text that was put together of
 * pieces is to copy it: xmlagg looked at all it had for each row. */
let plain = '';
whenMemoryIsShort(() => { plain = ''; }); // it stayed for good: what came after a large one had less memory
const PLAIN_CHARACTERS = 1 << 25;

function concatTwo(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  if (a.length + b.length > PLAIN_CHARACTERS || (a !== plain && a.startsWith('<?xml')) || a === '') return xmlConcat([a, b]);
  return plain = a + declarationOf(b).rest;
}

export function xmlPi(target: string, argument: string | null): string {
  const message = 'invalid XML processing instruction';
  if (target.toLowerCase() === 'xml') throw new PgError('syntax_error', message, { detail: `XML processing instruction target name cannot be "${target}".` });
  if (argument === null) return `<?${target}?>`;
  if (argument.includes('?>')) throw new PgError('invalid_xml_processing_instruction', message, { detail: 'XML processing instruction cannot contain "?>".' });
  return `<?${target} ${argument.replace(/^ +/, '')}?>`;
}

/** `version` null: VERSION NO VALUE. `standalone`: yes, no, no value, or as it is. */
export function xmlRoot(value: string, version: string | null, standalone: number): string {
  const old = declarationOf(value);
  const changed = ['yes', 'no', null, old.standalone][standalone] as Declaration['standalone'];
  return writeDeclaration({ version, standalone: changed }) + old.rest;
}

export function xmlElement(name: string, attributes: readonly { name: string; value: string | null }[], content: readonly (string | null)[]): string {
  let head = `<${name}`;
  for (const a of attributes) if (a.value !== null) head += ` ${a.name}="${escapeAttribute(a.value)}"`;
  const parts = content.filter((c) => c !== null);
  return parts.length === 0 ? `${head}/>` : `${head}>${joinTexts(parts, '')}</${name}>`;
}

const ATTRIBUTE: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#13;', '\n': '&#10;', '\t': '&#9;' };
const escapeAttribute = (text: string): string => byPieces(text, (piece) => piece.replace(/[&<>"\r\n\t]/g, (c) => ATTRIBUTE[c]!));

export function xmlForest(elements: readonly { name: string; value: string | null }[]): string | null {
  const given = elements.filter((e) => e.value !== null);
  return given.length === 0 ? null : given.map((e) => `<${e.name}>${e.value!}</${e.name}>`).join('');
}

export function xmlSerialize(value: string, option: XmlOption): string {
  if (option === 'document' && !isDocument(value)) throw new PgError('not_an_xml_document', 'not an XML document');
  return value;
}

function xmlComment(text: string): string {
  if (text.includes('--') || text.endsWith('-')) throw new PgError('invalid_xml_comment', 'invalid XML comment');
  return `<!--${text}-->`;
}

// ---- XPath ---------------------------------------------------------------------------------------------------

/** Prefixes to URIs out of a two-dimensional array. */
function namespacesOf(array: ArrayValue): Map<string, string> {
  if (array.dims.length !== 0 && (array.dims.length !== 2 || array.dims[1] !== 2)) {
    throw new PgError('data_exception', 'invalid array for XML namespace mapping', { detail: 'The array must be two-dimensional with length of the second axis equal to 2.' });
  }
  const result = new Map<string, string>();
  for (let i = 0; i < array.values.length; i += 2) {
    const [prefix, uri] = [array.values[i], array.values[i + 1]];
    if (typeof prefix !== 'string' || typeof uri !== 'string') throw new PgError('null_value_not_allowed', 'neither namespace name nor URI may be null');
    result.set(prefix, uri);
  }
  return result;
}

/** A node as a value of type xml. */
export function nodeToXml(node: XmlNode): string {
  if (node.kind === 'attribute' || node.kind === 'text') return escapeXml(stringValue(node));
  if (node.kind === 'namespace') throw new PgError('out_of_memory', 'could not copy node');
  return serialize(node);
}

function evaluate(path: string, data: string, namespaces: ArrayValue): XPathValue {
  const known = namespacesOf(namespaces);
  if (path === '') throw new PgError('data_exception', 'empty XPath expression');
  const root = xmlTree(data);
  return evaluateXPath(parseXPath(path, 'internal_error'), root, known);
}

function xpath(path: string, data: string, namespaces: ArrayValue): ArrayValue {
  const value = evaluate(path, data, namespaces);
  const list: Datum[] = typeof value === 'object' ? value.map(nodeToXml)
    : [typeof value === 'number' ? sqlToXml(value, 701, true) : typeof value === 'boolean' ? toText(value) : escapeXml(value)];
  return new ArrayValue(XMLOID, list.length === 0 ? [] : [list.length], list.length === 0 ? [] : [1], list);
}

const NO_NAMESPACES = new ArrayValue(TEXTOID, [], [], []);

function xpathExists(path: string, data: string, namespaces: ArrayValue): boolean {
  const value = evaluate(path, data, namespaces);
  return typeof value !== 'object' || value.length > 0;
}

/** A value as it stands in XML, for XMLELEMENT and the like. */
export const xmlValueOf = (value: Datum, type: Oid, escaped = true): string | null => (value === null ? null : sqlToXml(value, type, escaped));

registerBuiltins({
  pure: {
    xml_in: xmlIn,
    xml_out: xmlOut,
    xml_recv: (bytes: Uint8Array) => xmlIn(receiveText(bytes)),
    xml_send: (text: string) => sendText(xmlOut(text)),
    texttoxml: xmlIn,
    xmltotext: (text: string) => text,
    xmlcomment: xmlComment,
    xmlconcat2: concatTwo,
    xmlvalidate: () => {
      throw new PgError('feature_not_supported', 'xmlvalidate is not implemented');
    },
    xml_is_well_formed: (text: string) => isWellFormed(text, settings.xmloption as XmlOption),
    xml_is_well_formed_document: isDocument,
    xml_is_well_formed_content: (text: string) => isWellFormed(text, 'content'),
    xpath,
    xpath_exists: xpathExists,
    xmlexists: (path: string, data: string) => xpathExists(path, data, NO_NAMESPACES),
  },
});
