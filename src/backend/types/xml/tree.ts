// The tree that XML text is parsed into, and back to text.

export type XmlKind = 'document' | 'element' | 'attribute' | 'namespace' | 'text' | 'cdata' | 'comment' | 'pi' | 'entity' | 'dtd';

/** A node; what its kind does not have is empty. Text is that of the document, with character references worked out. */
export interface XmlNode {
  kind: XmlKind;
  /** Without its prefix; the target of a processing instruction, the name of an entity. */
  name: string;
  prefix: string;
  /** The namespace's URI, '' for none. */
  uri: string;
  /** Text, the value of an attribute, the URI of a namespace; of a document type its declaration, as it was written. */
  value: string;
  parent: XmlNode | null;
  children: XmlNode[];
  attributes: XmlNode[];
  /** Namespaces declared here: prefix ('' for the default) and URI. */
  declared: { prefix: string; uri: string }[];
  /** Its place in the document. */
  order: number;
}

export function makeNode(kind: XmlKind, name: string, value: string, parent: XmlNode | null, order: number): XmlNode {
  return { kind, name, prefix: '', uri: '', value, parent, children: [], attributes: [], declared: [], order };
}

export const qualifiedName = (node: XmlNode): string => (node.prefix === '' ? node.name : `${node.prefix}:${node.name}`);

export const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';

/** All text below a node, in document order: XPath's string-value. */
export function stringValue(node: XmlNode): string {
  switch (node.kind) {
    case 'document': case 'element': {
      let text = '';
      for (const child of node.children) if (child.kind !== 'comment' && child.kind !== 'pi' && child.kind !== 'dtd') text += stringValue(child);
      return text;
    }
    case 'entity': case 'text': case 'cdata': case 'comment': case 'pi': case 'attribute': case 'namespace': case 'dtd': return node.value;
  }
}

/** The URI a prefix stands for at a node. */
export function namespaceAt(node: XmlNode | null, prefix: string): string | undefined {
  for (let at = node; at !== null; at = at.parent) {
    const found = at.declared.findLast((d) => d.prefix === prefix);
    if (found !== undefined) return found.uri;
  }
  return prefix === 'xml' ? XML_NAMESPACE : undefined;
}

const TEXT_ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' };
const ATTRIBUTE_ESCAPES: Record<string, string> = { ...TEXT_ESCAPES, '"': '&quot;', '\n': '&#10;', '\t': '&#9;' };

const escapeText = (text: string): string => text.replace(/[&<>\r]/g, (c) => TEXT_ESCAPES[c]!);

/** Attributes are written in ASCII, as libxml2 does for a node outside of any document. */
const escapeAttribute = (text: string): string =>
  text.replace(/[&<>"\r\n\t]/g, (c) => ATTRIBUTE_ESCAPES[c]!).replace(/[\u{80}-\u{10ffff}]/gu, (c) => `&#x${c.codePointAt(0)!.toString(16).toUpperCase()};`);

/** A node as text, with the namespaces that it needs from the nodes around it. */
export function serialize(node: XmlNode): string {
  return write(node, node.kind === 'element' ? inherited(node) : []);
}

/** Namespaces used below a node and declared above it, in the order of their use. */
function inherited(top: XmlNode): { prefix: string; uri: string }[] {
  const found: { prefix: string; uri: string }[] = [];
  const visit = (node: XmlNode, known: readonly { prefix: string; uri: string }[]): void => {
    const here = [...known, ...node.declared];
    for (const one of [node, ...node.attributes]) {
      if (one.uri === '' || one.prefix === 'xml') continue;
      if (here.some((d) => d.prefix === one.prefix) || found.some((d) => d.prefix === one.prefix)) continue;
      found.push({ prefix: one.prefix, uri: one.uri });
    }
    for (const child of node.children) if (child.kind === 'element') visit(child, here);
  };
  visit(top, []);
  return found;
}

function write(node: XmlNode, more: readonly { prefix: string; uri: string }[]): string {
  switch (node.kind) {
    case 'element': {
      const name = qualifiedName(node);
      let head = `<${name}`;
      for (const { prefix, uri } of [...node.declared, ...more]) head += ` xmlns${prefix === '' ? '' : `:${prefix}`}="${escapeAttribute(uri)}"`;
      for (const attribute of node.attributes) head += ` ${qualifiedName(attribute)}="${escapeAttribute(attribute.value)}"`;
      if (node.children.length === 0) return `${head}/>`;
      return `${head}>${node.children.map((child) => write(child, [])).join('')}</${name}>`;
    }
    case 'document': return node.children.map((child) => `${write(child, [])}\n`).join('');
    case 'text': return escapeText(node.value);
    case 'cdata': return `<![CDATA[${node.value}]]>`;
    case 'comment': return `<!--${node.value}-->`;
    case 'pi': return `<?${node.name}${node.value === '' ? '' : ` ${node.value}`}?>`;
    case 'entity': return `&${node.name};`;
    case 'dtd': return node.value;
    case 'attribute': case 'namespace': return ` ${qualifiedName(node)}="${escapeAttribute(node.value)}"`;
  }
}
