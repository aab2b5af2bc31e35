// A parser of XML 1.0 with namespaces. It goes the way of libxml2, so that it finds the same errors at the same places: users
// read them in DETAIL. The text is taken as the bytes of its UTF-8 form, one character each, for places count in bytes.
import { checkForInterrupts } from '../../utils/interrupts.ts';
import { makeNode, namespaceAt, XML_NAMESPACE, type XmlNode } from './tree.ts';

/** What went wrong, and how bad: errors about namespaces matter only to those who want the tree. */
export interface XmlProblem { level: 'warning' | 'error'; namespace: boolean; text: string }

export interface ParsedXml { root: XmlNode; problems: XmlProblem[] }

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const textOf = (bytes: string): string => (/[\x80-\xff]/.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes);

const NAME = /[A-Za-z_\x80-\xff][-A-Za-z0-9._\x80-\xff]*/y;
const NAME_WITH_COLONS = /[A-Za-z_:\x80-\xff][-A-Za-z0-9._:\x80-\xff]*/y;
const isBlank = (c: string | undefined): boolean => c === ' ' || c === '\n' || c === '\t' || c === '\r';
const PREDEFINED: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
/** Where a line of the text around an error is cut. */
const CONTEXT_BYTES = 80;

/** An open element: what its end tag must say. */
interface Open { node: XmlNode; name: string; line: number }

export class XmlParser {
  private readonly text: string;
  private at = 0;
  private order = 0;
  private readonly root = makeNode('document', '', '', null, 0);
  private readonly open: Open[] = [];
  private readonly entities = new Map<string, string>();
  private hasDtd = false;
  private readonly problems: XmlProblem[] = [];

  constructor(text: string) {
    this.text = bytesOf(text);
  }

  /** A whole document. `forced`: whoever reads from a string and says its encoding is told when there is none. */
  document(forced: boolean): ParsedXml {
    if (this.text === '') {
      if (forced) this.error('switching encoding : no input');
      this.error('Document is empty');
      return this.result();
    }
    if (this.text.startsWith('<?xml') && isBlank(this.text[5])) this.xmlDeclaration();
    this.misc();
    if (this.text.startsWith('<!DOCTYPE', this.at)) {
      this.documentType();
      this.misc();
    }
    if (this.text[this.at] !== '<') this.error("Start tag expected, '<' not found");
    else {
      this.element();
      this.misc();
      if (!this.ended()) this.error('Extra content at the end of the document');
    }
    return this.result();
  }

  /** Any sequence of elements and text, as it may stand inside of an element. */
  content(): ParsedXml {
    this.contents();
    if (this.text.startsWith('</', this.at)) this.notBalanced('chunk is not well balanced');
    else if (!this.ended()) this.notBalanced('extra content at the end of well balanced chunk');
    return this.result();
  }

  /** Said only when nothing else has been. */
  private notBalanced(message: string): void {
    if (!this.problems.some((p) => p.level === 'error' && !p.namespace)) this.error(message);
  }

  private result(): ParsedXml {
    return { root: this.root, problems: this.problems };
  }

  private ended(): boolean {
    return this.at >= this.text.length;
  }

  // ---- errors ------------------------------------------------------------------------------------------------

  private line(at = this.at): number {
    let line = 1;
    for (let i = this.text.indexOf('\n'); i >= 0 && i < at; i = this.text.indexOf('\n', i + 1)) line++;
    return line;
  }

  private report(level: XmlProblem['level'], namespace: boolean, message: string): void {
    this.problems.push({ level, namespace, text: `line ${this.line()}: ${textOf(message)}\n${this.context()}` });
  }

  private error(message: string): void {
    this.report('error', false, message);
  }

  /** The line of the text with a mark below the place. */
  private context(): string {
    const { text } = this;
    let start = this.at;
    const isEnd = (c: string | undefined): boolean => c === '\n' || c === '\r';
    while (start > 0 && isEnd(text[start])) start--;
    for (let n = 0; n++ < CONTEXT_BYTES && start > 0 && !isEnd(text[start]);) start--;
    if (isEnd(text[start])) start++;
    let end = start;
    while (end < text.length && !isEnd(text[end]) && end - start < CONTEXT_BYTES) end++;
    const shown = text.slice(start, end);
    const indent = shown.slice(0, Math.min(this.at - start, CONTEXT_BYTES - 1)).replace(/[^\t]/g, ' ');
    return `${textOf(shown)}\n${indent}^`;
  }

  // ---- the pieces --------------------------------------------------------------------------------------------

  private blanks(): number {
    const start = this.at;
    while (isBlank(this.text[this.at])) this.at++;
    return this.at - start;
  }

  private name(pattern: RegExp = NAME_WITH_COLONS): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.at += found[0].length;
    return found[0];
  }

  /** Prefix and local name. */
  private qname(): { prefix: string; local: string } | null {
    const first = this.name(NAME);
    if (first === null) return null;
    if (this.text[this.at] !== ':') return { prefix: '', local: first };
    this.at++;
    const local = this.name(NAME);
    if (local === null) return { prefix: '', local: `${first}:${this.name() ?? ''}` };
    if (this.text[this.at] === ':') {
      this.report('error', true, `Failed to parse QName '${first}:${local}:'`);
      this.at++;
      return { prefix: first, local: `${local}:${this.name(NAME) ?? ''}` };
    }
    return { prefix: first, local };
  }

  private misc(): void {
    for (;;) {
      this.blanks();
      if (this.text.startsWith('<?', this.at)) this.processingInstruction();
      else if (this.text.startsWith('<!--', this.at)) this.comment();
      else return;
    }
  }

  /** <?xml version="1.0" encoding="..." standalone="..."?> */
  private xmlDeclaration(): void {
    this.at += 5;
    this.blanks();
    const value = (name: string): string | null => {
      if (!this.text.startsWith(name, this.at)) return null;
      this.at += name.length;
      this.blanks();
      if (this.text[this.at] !== '=') return null;
      this.at++;
      this.blanks();
      const quote = this.text[this.at];
      if (quote !== '"' && quote !== "'") {
        this.error('String not started expecting \' or "');
        return null;
      }
      const end = this.text.indexOf(quote, this.at + 1);
      if (end < 0) return null;
      const result = this.text.slice(this.at + 1, end);
      if (name === 'standalone' && result !== 'yes' && result !== 'no') {
        this.at++;
        this.error("standalone accepts only 'yes' or 'no'");
        this.error('String not closed expecting " or \'');
        return null;
      }
      if (name === 'encoding' && !/^[A-Za-z]/.test(result)) {
        this.at++;
        this.error('Invalid XML encoding name');
      }
      this.at = end + 1;
      return result;
    };
    const version = value('version');
    if (version === null) this.error('Malformed declaration expecting version');
    else if (version !== '1.0') {
      if (/^1\./.test(version)) this.report('warning', false, `Unsupported version '${version}'`);
      else this.error(`Unsupported version '${version}'`);
    }
    const closes = (): boolean => {
      if (!this.text.startsWith('?>', this.at)) return false;
      this.at += 2;
      return true;
    };
    if (!isBlank(this.text[this.at])) {
      if (closes()) return;
      this.error('Blank needed here');
    }
    this.blanks();
    if (value('encoding') !== null && !isBlank(this.text[this.at])) {
      if (closes()) return;
      this.error('Blank needed here');
    }
    this.blanks();
    value('standalone');
    this.blanks();
    if (closes()) return;
    this.error("parsing XML declaration: '?>' expected");
    const end = this.text.indexOf('>', this.at);
    this.at = end < 0 ? this.text.length : end + 1;
  }

  private documentType(): void {
    const start = this.at;
    this.at += 9;
    this.blanks();
    if (this.name() === null) this.error('xmlParseDocTypeDecl : no DOCTYPE name !');
    this.blanks();
    this.hasDtd = true;
    let inSubset = false;
    for (;;) {
      const c = this.text[this.at];
      if (c === undefined) {
        this.error('DOCTYPE improperly terminated');
        break;
      }
      if (c === '"' || c === "'") {
        const end = this.text.indexOf(c, this.at + 1);
        this.at = end < 0 ? this.text.length : end + 1;
      } else if (c === '[' && !inSubset) {
        inSubset = true;
        this.at++;
      } else if (c === ']' && inSubset) {
        inSubset = false;
        this.at++;
      } else if (inSubset && this.text.startsWith('<!--', this.at)) {
        const end = this.text.indexOf('-->', this.at);
        this.at = end < 0 ? this.text.length : end + 3;
      } else if (inSubset && this.text.startsWith('<!ENTITY', this.at)) {
        const entity = /<!ENTITY\s+([-\w.:\x80-\xff]+)\s+(?:"([^"]*)"|'([^']*)')\s*>/y;
        entity.lastIndex = this.at;
        const found = entity.exec(this.text);
        if (found === null) this.at++;
        else {
          if (!this.entities.has(found[1]!)) this.entities.set(found[1]!, found[2] ?? found[3] ?? '');
          this.at += found[0].length;
        }
      } else if (c === '>' && !inSubset) {
        this.at++;
        break;
      } else this.at++;
    }
    this.append('dtd', '', this.text.slice(start, this.at));
  }

  private append(kind: XmlNode['kind'], name: string, value: string): XmlNode {
    const parent = this.open.at(-1)?.node ?? this.root;
    const last = parent.children.at(-1);
    if (kind === 'text' && last?.kind === 'text') {
      last.value += textOf(value);
      return last;
    }
    const node = makeNode(kind, textOf(name), textOf(value), parent, ++this.order);
    parent.children.push(node);
    return node;
  }

  private element(): void {
    checkForInterrupts();
    const depth = this.open.length;
    if (!this.startTag()) return;
    if (this.open.length === depth) return;
    this.contents(depth);
    if (this.ended()) {
      const last = this.open.at(-1)!;
      this.error(`Premature end of data in tag ${last.name} line ${last.line}`);
    } else this.endTag();
  }

  private contents(depth = 0): void {
    while (!this.ended()) {
      const { text, at } = this;
      if (text.startsWith('<?', at)) this.processingInstruction();
      else if (text.startsWith('<![CDATA[', at)) this.cdata();
      else if (text.startsWith('<!--', at)) this.comment();
      else if (text[at] === '<') {
        if (text[at + 1] === '/') {
          if (this.open.length <= depth + 1) return;
          this.endTag();
        } else if (this.open.length === 0) this.element();
        else this.startTag();
      } else if (text[at] === '&') this.reference();
      else this.characters();
    }
  }

  /** Pushes the element, unless it is empty; false when it could not be read. */
  private startTag(): boolean {
    const line = this.line();
    this.at++;
    const name = this.qname();
    if (name === null) {
      this.error('StartTag: invalid element name');
      return false;
    }
    this.blanks();
    const parent = this.open.at(-1)?.node ?? this.root;
    const node = makeNode('element', textOf(name.local), '', parent, ++this.order);
    node.prefix = textOf(name.prefix);
    const atEnd = (): boolean => this.text[this.at] === '>' || this.text.startsWith('/>', this.at);
    while (!this.ended() && !atEnd()) {
      this.attribute(node);
      if (atEnd()) break;
      if (this.blanks() === 0) {
        this.error('attributes construct error');
        break;
      }
    }
    this.resolve(node, parent);
    const shown = name.prefix === '' ? name.local : `${name.prefix}:${name.local}`;
    if (this.text.startsWith('/>', this.at)) {
      this.at += 2;
      parent.children.push(node);
      return true;
    }
    if (this.text[this.at] !== '>') {
      this.error(`Couldn't find end of Start Tag ${shown} line ${line}`);
      return false;
    }
    this.at++;
    parent.children.push(node);
    this.open.push({ node, name: name.local, line });
    return true;
  }

  private attribute(node: XmlNode): void {
    const name = this.qname();
    if (name === null) {
      this.error('error parsing attribute name');
      return;
    }
    this.blanks();
    if (this.text[this.at] !== '=') {
      this.error(`Specification mandates value for attribute ${name.local}`);
      return;
    }
    this.at++;
    this.blanks();
    const value = this.attributeValue();
    if (value === null) return;
    const local = textOf(name.local);
    if (name.prefix === '' && local === 'xmlns') this.declareNamespace(node, '', value);
    else if (name.prefix === 'xmlns') this.declareNamespace(node, local, value);
    else {
      const attribute = makeNode('attribute', local, value, node, ++this.order);
      attribute.prefix = textOf(name.prefix);
      node.attributes.push(attribute);
    }
  }

  private declareNamespace(node: XmlNode, prefix: string, uri: string): void {
    const label = prefix === '' ? 'xmlns' : `xmlns:${prefix}`;
    if (prefix === 'xml') {
      if (uri !== XML_NAMESPACE) this.report('error', true, bytesOf('xml namespace prefix mapped to wrong URI'));
      return;
    }
    if (prefix !== '' && uri === '') {
      this.report('error', true, bytesOf(`${label}: Empty XML namespace is not allowed`));
      return;
    }
    if (uri !== '') {
      if (/[<>"{}|\\^`\s]/.test(uri)) this.report('error', true, bytesOf(`${label}: '${uri}' is not a valid URI`));
      else if (prefix === '' && !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(uri)) this.report('warning', true, bytesOf(`xmlns: URI ${uri} is not absolute`));
    }
    if (node.declared.some((d) => d.prefix === prefix)) this.error(bytesOf(`Attribute ${label} redefined`));
    else node.declared.push({ prefix, uri });
  }

  /** Prefixes to URIs, for the element and its attributes. */
  private resolve(node: XmlNode, parent: XmlNode): void {
    const lookup = (prefix: string): string | undefined => node.declared.findLast((d) => d.prefix === prefix)?.uri ?? namespaceAt(parent, prefix);
    const seen = new Set<string>();
    for (const attribute of node.attributes) {
      if (attribute.prefix !== '') {
        const uri = lookup(attribute.prefix);
        if (uri === undefined) this.report('error', true, bytesOf(`Namespace prefix ${attribute.prefix} for ${attribute.name} on ${node.name} is not defined`));
        else attribute.uri = uri;
      }
      const key = `${attribute.uri === '' ? attribute.prefix : attribute.uri} ${attribute.name}`;
      if (seen.has(key)) this.error(bytesOf(`Attribute ${attribute.prefix === '' ? '' : `${attribute.prefix}:`}${attribute.name} redefined`));
      seen.add(key);
    }
    const uri = lookup(node.prefix);
    if (uri === undefined && node.prefix !== '') this.report('error', true, bytesOf(`Namespace prefix ${node.prefix} on ${node.name} is not defined`));
    node.uri = uri ?? '';
  }

  private attributeValue(): string | null {
    const quote = this.text[this.at];
    if (quote !== '"' && quote !== "'") {
      this.error('AttValue: " or \' expected');
      return null;
    }
    this.at++;
    let value = '';
    for (;;) {
      const c = this.text[this.at];
      if (c === undefined) {
        this.error("AttValue: ' expected");
        return null;
      }
      if (c === quote) {
        this.at++;
        return textOf(value);
      }
      if (c === '<') {
        this.error("Unescaped '<' not allowed in attributes values");
        return null;
      }
      if (c === '&') {
        value += bytesOf(this.text[this.at + 1] === '#' ? this.characterReference() ?? '' : this.entityReference()?.text ?? '');
        continue;
      }
      if (c < ' ' && !isBlank(c)) {
        this.error('invalid character in attribute value');
        return null;
      }
      value += isBlank(c) ? ' ' : c;
      this.at++;
    }
  }

  private endTag(): void {
    const open = this.open.pop()!;
    this.at += 2;
    const full = open.node.prefix === '' ? bytesOf(open.node.name) : bytesOf(`${open.node.prefix}:${open.node.name}`);
    const name = this.name();
    this.blanks();
    if (this.text[this.at] !== '>') this.error("expected '>'");
    else this.at++;
    if (name === full) return;
    const shown = name === null ? 'unparsable' : open.node.prefix === '' ? name : name.replace(/^[^:]*:/, '');
    this.error(`Opening and ending tag mismatch: ${open.name} line ${open.line} and ${shown}`);
  }

  private characters(): void {
    const start = this.at;
    const pattern = /[<&]|\]\]>|[\x00-\x08\x0b\x0c\x0e-\x1f]/g;
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    this.at = found === null ? this.text.length : found.index;
    if (this.at > start) this.append('text', '', this.text.slice(start, this.at).replace(/\r\n?/g, '\n'));
    if (found === null || found[0] === '<' || found[0] === '&') return;
    if (found[0] === ']]>') {
      this.error("Sequence ']]>' not allowed in content");
      this.at += 3;
    } else {
      this.error(`PCDATA invalid Char value ${found[0].charCodeAt(0)}`);
      this.at++;
    }
  }

  private reference(): void {
    if (this.text[this.at + 1] === '#') {
      const c = this.characterReference();
      if (c !== null) this.append('text', '', bytesOf(c));
      return;
    }
    const entity = this.entityReference();
    if (entity === null) return;
    if (entity.predefined) this.append('text', '', bytesOf(entity.text));
    else this.append('entity', entity.name, bytesOf(entity.text));
  }

  private characterReference(): string | null {
    const hex = this.text[this.at + 2] === 'x';
    this.at += hex ? 3 : 2;
    let code = 0;
    for (;;) {
      const c = this.text[this.at];
      if (c === ';') {
        this.at++;
        break;
      }
      if (c === undefined || !(hex ? /[0-9a-fA-F]/ : /[0-9]/).test(c)) {
        this.error(`xmlParseCharRef: invalid ${hex ? 'hexadecimal' : 'decimal'} value`);
        code = 0;
        break;
      }
      code = Math.min(code * (hex ? 16 : 10) + Number.parseInt(c, 16), 0x110000);
      this.at++;
    }
    if (code >= 0x110000) this.error('xmlParseCharRef: character reference out of bounds');
    else if ((code < 32 && code !== 9 && code !== 10 && code !== 13) || (code >= 0xd800 && code < 0xe000) || code === 0xfffe || code === 0xffff) {
      this.error(`xmlParseCharRef: invalid xmlChar value ${code}`);
    } else return String.fromCodePoint(code);
    return null;
  }

  private entityReference(): { name: string; text: string; predefined: boolean } | null {
    this.at++;
    const name = this.name();
    if (name === null) {
      this.error('xmlParseEntityRef: no name');
      return null;
    }
    if (this.text[this.at] !== ';') {
      this.error("EntityRef: expecting ';'");
      return null;
    }
    this.at++;
    const known = PREDEFINED[name];
    if (known !== undefined) return { name, text: known, predefined: true };
    const declared = this.entities.get(name);
    if (declared !== undefined) return { name, text: textOf(declared), predefined: false };
    if (!this.hasDtd) {
      this.error(`Entity '${name}' not defined`);
      return null;
    }
    return { name, text: '', predefined: false };
  }

  private comment(): void {
    const start = this.at + 4;
    let from = start;
    let complained = false;
    for (;;) {
      const end = this.text.indexOf('--', from);
      if (end < 0) {
        this.at = this.text.length;
        this.error('Comment not terminated');
        return;
      }
      if (this.text[end + 2] === '>') {
        this.at = end + 3;
        this.append('comment', '', this.text.slice(start, end));
        return;
      }
      if (!complained) {
        this.at = end;
        this.error(`Double hyphen within comment: <!--${this.text.slice(start, end).slice(0, 50)}`);
        complained = true;
      }
      from = end + 1;
    }
  }

  private cdata(): void {
    this.at += 9;
    const start = this.at;
    const end = this.text.indexOf(']]>', start);
    if (end >= 0) {
      this.at = end + 3;
      this.append('cdata', '', this.text.slice(start, end));
      return;
    }
    const rest = this.text.slice(start);
    this.at = this.text.length;
    this.error(rest.length < 3 ? 'Unregistered error message' : `CData section not finished\n${rest.slice(0, Math.min(50, rest.length - 2))}`);
  }

  private processingInstruction(): void {
    this.at += 2;
    const name = this.name();
    if (name === null) {
      this.error('xmlParsePI : no target name');
      return;
    }
    if (name === 'xml') this.error('XML declaration allowed only at the start of the document');
    else if (name.toLowerCase() === 'xml') this.error('Invalid PI name');
    else if (name.includes(':')) this.report('error', true, `colons are forbidden from PI names '${name}'`);
    if (this.text.startsWith('?>', this.at)) {
      this.at += 2;
      this.append('pi', name, '');
      return;
    }
    if (this.blanks() === 0) this.error(`ParsePI: PI ${name} space expected`);
    const end = this.text.indexOf('?>', this.at);
    if (end < 0) {
      this.at = this.text.length;
      this.error(`ParsePI: PI ${name} never end ...`);
      return;
    }
    this.append('pi', name, this.text.slice(this.at, end));
    this.at = end + 2;
  }
}
