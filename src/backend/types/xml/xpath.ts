// XPath 1.0: evaluation over a tree.
import { PgError } from '../../../common/errors.ts';
import { makeNode, qualifiedName, stringValue, XML_NAMESPACE, type XmlNode } from './tree.ts';
import type { Axis, BinaryOperator, NodeTest, Step, XPathExpr } from './xpath_parse.ts';

export type XPathValue = readonly XmlNode[] | string | number | boolean;

interface Context { node: XmlNode; position: number; size: number; namespaces: ReadonlyMap<string, string> }

const cannotEvaluate = (detail: string): PgError => new PgError('internal_error', 'could not create XPath object', { detail });

const isNodeSet = (value: XPathValue): value is readonly XmlNode[] => typeof value === 'object';

/** A number as libxml2 writes it: 15 significant digits. */
function numberToString(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (value === Math.trunc(value) && Math.abs(value) < 2 ** 31) return String(value === 0 ? 0 : value);
  const size = Math.abs(value);
  const noZeros = (digits: string): string => (digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits);
  if (size > 1e9 || size < 1e-5) {
    const [digits, exponent] = value.toExponential(14).split('e') as [string, string];
    return `${noZeros(digits)}e${exponent[0]!}${exponent.slice(1).padStart(2, '0')}`;
  }
  const place = Math.trunc(Math.log10(size));
  return noZeros(value.toFixed(place > 0 ? 14 - place : 15 - place));
}

export function toText(value: XPathValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberToString(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  return value.length === 0 ? '' : stringValue(value[0]!);
}

function toNumber(value: XPathValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const text = toText(value).trim();
  return /^-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
}

function toBoolean(value: XPathValue): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0 && !Number.isNaN(value);
  return value.length > 0;
}

function nodeSet(value: XPathValue): readonly XmlNode[] {
  if (!isNodeSet(value)) throw cannotEvaluate('Invalid type');
  return value;
}

const inOrder = (nodes: Iterable<XmlNode>): XmlNode[] => [...new Set(nodes)].sort((a, b) => a.order - b.order);

function topOf(node: XmlNode): XmlNode {
  let at = node;
  while (at.parent !== null) at = at.parent;
  return at;
}

function* descendants(node: XmlNode): Generator<XmlNode> {
  for (const child of node.children) {
    if (child.kind === 'dtd') continue;
    yield child;
    yield* descendants(child);
  }
}

function siblings(node: XmlNode, after: boolean): XmlNode[] {
  if (node.parent === null || node.kind === 'attribute' || node.kind === 'namespace') return [];
  const all = node.parent.children.filter((n) => n.kind !== 'dtd');
  const index = all.indexOf(node);
  return after ? all.slice(index + 1) : all.slice(0, index).reverse();
}

function ancestors(node: XmlNode): XmlNode[] {
  const result: XmlNode[] = [];
  for (let at = node.parent; at !== null; at = at.parent) result.push(at);
  return result;
}

function namespacesOf(node: XmlNode): XmlNode[] {
  if (node.kind !== 'element') return [];
  const seen = new Map<string, string>([['xml', XML_NAMESPACE]]);
  for (const at of [...ancestors(node).reverse(), node]) for (const { prefix, uri } of at.declared) seen.set(prefix, uri);
  return [...seen].map(([prefix, uri]) => makeNode('namespace', prefix, uri, node, node.order));
}

/** The nodes of an axis, nearest first. */
const AXIS: Record<Axis, (node: XmlNode) => Iterable<XmlNode>> = {
  self: (n) => [n],
  child: (n) => n.children.filter((c) => c.kind !== 'dtd'),
  parent: (n) => (n.parent === null ? [] : [n.parent]),
  attribute: (n) => n.attributes,
  namespace: namespacesOf,
  ancestor: ancestors,
  'ancestor-or-self': (n) => [n, ...ancestors(n)],
  descendant: descendants,
  'descendant-or-self': (n) => [n, ...descendants(n)],
  'following-sibling': (n) => siblings(n, true),
  'preceding-sibling': (n) => siblings(n, false),
  following: (n) => [n, ...ancestors(n)].flatMap((at) => siblings(at, true).flatMap((s) => [s, ...descendants(s)])),
  preceding: (n) => [n, ...ancestors(n)].flatMap((at) => siblings(at, false).flatMap((s) => [s, ...descendants(s)].reverse())),
};

function matches(node: XmlNode, test: NodeTest, axis: Axis, namespaces: ReadonlyMap<string, string>): boolean {
  const principal = axis === 'attribute' ? 'attribute' : axis === 'namespace' ? 'namespace' : 'element';
  const uriOf = (prefix: string): string => {
    const uri = prefix === 'xml' ? XML_NAMESPACE : namespaces.get(prefix);
    if (uri === undefined) throw cannotEvaluate('Undefined namespace prefix');
    return uri;
  };
  switch (test.kind) {
    case 'any': return node.kind === principal && (test.prefix === '' || node.uri === uriOf(test.prefix));
    case 'name': return node.kind === principal && node.name === test.name && node.uri === (test.prefix === '' ? '' : uriOf(test.prefix));
    case 'type':
      switch (test.type) {
        case 'node': return true;
        case 'text': return node.kind === 'text' || node.kind === 'cdata';
        case 'comment': return node.kind === 'comment';
        case 'processing-instruction': return node.kind === 'pi' && (test.target === null || node.name === test.target);
      }
  }
}

function keep(nodes: readonly XmlNode[], predicate: XPathExpr, namespaces: Context['namespaces']): XmlNode[] {
  return nodes.filter((node, i) => {
    const value = evaluate(predicate, { node, position: i + 1, size: nodes.length, namespaces });
    return typeof value === 'number' ? value === i + 1 : toBoolean(value);
  });
}

function takeStep(from: readonly XmlNode[], step: Step, namespaces: Context['namespaces']): XmlNode[] {
  const found: XmlNode[] = [];
  // A prefix must be known also where there is nothing to compare with.
  if (step.test.kind !== 'type' && step.test.prefix !== '' && step.test.prefix !== 'xml' && !namespaces.has(step.test.prefix)) throw cannotEvaluate('Undefined namespace prefix');
  for (const node of from) {
    let nodes = [...AXIS[step.axis](node)].filter((n) => matches(n, step.test, step.axis, namespaces));
    for (const predicate of step.predicates) nodes = keep(nodes, predicate, namespaces);
    found.push(...nodes);
  }
  return step.axis === 'namespace' ? found : inOrder(found);
}

function compare(op: BinaryOperator, left: XPathValue, right: XPathValue): boolean {
  if (isNodeSet(left) && isNodeSet(right)) return left.some((a) => right.some((b) => compare(op, stringValue(a), stringValue(b))));
  if (isNodeSet(left)) return typeof right === 'boolean' ? compare(op, toBoolean(left), right) : left.some((a) => compare(op, stringValue(a), right));
  if (isNodeSet(right)) return typeof left === 'boolean' ? compare(op, left, toBoolean(right)) : right.some((b) => compare(op, left, stringValue(b)));
  if (op === '=' || op === '!=') {
    const same = typeof left === 'boolean' || typeof right === 'boolean' ? toBoolean(left) === toBoolean(right)
      : typeof left === 'number' || typeof right === 'number' ? toNumber(left) === toNumber(right) : left === right;
    return same === (op === '=');
  }
  const [a, b] = [toNumber(left), toNumber(right)];
  return op === '<' ? a < b : op === '<=' ? a <= b : op === '>' ? a > b : a >= b;
}

function arithmetic(op: '+' | '-' | '*' | 'div' | 'mod', a: number, b: number): number {
  switch (op) {
    case '+': return a + b;
    case '-': return a - b;
    case '*': return a * b;
    case 'div': return a / b;
    case 'mod': return a % b;
  }
}

function evaluate(e: XPathExpr, cx: Context): XPathValue {
  switch (e.kind) {
    case 'literal': case 'number': return e.value;
    case 'variable': throw cannotEvaluate('Undefined variable');
    case 'negate': return -toNumber(evaluate(e.arg, cx));
    case 'binary': {
      const left = evaluate(e.left, cx);
      switch (e.op) {
        case 'or': return toBoolean(left) || toBoolean(evaluate(e.right, cx));
        case 'and': return toBoolean(left) && toBoolean(evaluate(e.right, cx));
        case '|': return inOrder([...nodeSet(left), ...nodeSet(evaluate(e.right, cx))]);
        case '+': case '-': case '*': case 'div': case 'mod': return arithmetic(e.op, toNumber(left), toNumber(evaluate(e.right, cx)));
        default: return compare(e.op, left, evaluate(e.right, cx));
      }
    }
    case 'call': {
      const fn = FUNCTIONS[e.name];
      if (fn === undefined) throw cannotEvaluate('Unregistered function');
      const args = e.args.map((a) => evaluate(a, cx));
      if (args.length < fn.least || args.length > fn.most) throw cannotEvaluate('Invalid number of arguments');
      return fn.call(cx, args);
    }
    case 'path': {
      let nodes: readonly XmlNode[] = e.start === null ? [e.absolute ? topOf(cx.node) : cx.node] : nodeSet(evaluate(e.start, cx));
      for (const predicate of e.predicates) nodes = keep(nodes, predicate, cx.namespaces);
      for (const step of e.steps) nodes = takeStep(nodes, step, cx.namespaces);
      return nodes;
    }
  }
}

interface CoreFunction { least: number; most: number; call: (cx: Context, args: readonly XPathValue[]) => XPathValue }

const fn = (least: number, most: number, call: CoreFunction['call']): CoreFunction => ({ least, most, call });
/** The argument, or the context node when there is none. */
const nodeOf = (cx: Context, args: readonly XPathValue[]): XmlNode | undefined => (args.length === 0 ? cx.node : nodeSet(args[0]!)[0]);
const textOf = (cx: Context, args: readonly XPathValue[]): string => (args.length === 0 ? stringValue(cx.node) : toText(args[0]!));
const nameOf = (node: XmlNode | undefined, name: (n: XmlNode) => string): string =>
  node !== undefined && (node.kind === 'element' || node.kind === 'attribute' || node.kind === 'pi' || node.kind === 'namespace') ? name(node) : '';
const round = (x: number): number => (Number.isFinite(x) ? Math.floor(x + 0.5) : x);

function substring(text: string, args: readonly XPathValue[]): string {
  const characters = [...text];
  const from = round(toNumber(args[1]!));
  const to = args.length > 2 ? from + round(toNumber(args[2]!)) : Infinity;
  return characters.filter((_c, i) => i + 1 >= from && i + 1 < to).join('');
}

function translate(text: string, from: string, to: string): string {
  const map = new Map<string, string>();
  const replacements = [...to];
  [...from].forEach((c, i) => {
    if (!map.has(c)) map.set(c, replacements[i] ?? '');
  });
  return [...text].map((c) => map.get(c) ?? c).join('');
}

function isLanguage(node: XmlNode, wanted: string): boolean {
  for (let at: XmlNode | null = node; at !== null; at = at.parent) {
    const lang = at.attributes.find((a) => a.name === 'lang' && a.prefix === 'xml');
    if (lang !== undefined) return new RegExp(`^${wanted.replace(/[^A-Za-z0-9-]/g, '')}(-|$)`, 'i').test(lang.value);
  }
  return false;
}

const FUNCTIONS: Record<string, CoreFunction> = {
  last: fn(0, 0, (cx) => cx.size),
  position: fn(0, 0, (cx) => cx.position),
  count: fn(1, 1, (_cx, [set]) => nodeSet(set!).length),
  // Attributes of type ID are declared in a document type, which is not looked at.
  id: fn(1, 1, () => []),
  'local-name': fn(0, 1, (cx, args) => nameOf(nodeOf(cx, args), (n) => n.name)),
  'namespace-uri': fn(0, 1, (cx, args) => nameOf(nodeOf(cx, args), (n) => n.uri)),
  name: fn(0, 1, (cx, args) => nameOf(nodeOf(cx, args), qualifiedName)),
  string: fn(0, 1, textOf),
  concat: fn(2, Infinity, (_cx, args) => args.map(toText).join('')),
  'starts-with': fn(2, 2, (_cx, [a, b]) => toText(a!).startsWith(toText(b!))),
  contains: fn(2, 2, (_cx, [a, b]) => toText(a!).includes(toText(b!))),
  'substring-before': fn(2, 2, (_cx, [a, b]) => {
    const at = toText(a!).indexOf(toText(b!));
    return at < 0 ? '' : toText(a!).slice(0, at);
  }),
  'substring-after': fn(2, 2, (_cx, [a, b]) => {
    const at = toText(a!).indexOf(toText(b!));
    return at < 0 ? '' : toText(a!).slice(at + toText(b!).length);
  }),
  substring: fn(2, 3, (_cx, args) => substring(toText(args[0]!), args)),
  'string-length': fn(0, 1, (cx, args) => [...textOf(cx, args)].length),
  'normalize-space': fn(0, 1, (cx, args) => textOf(cx, args).trim().replace(/[ \t\r\n]+/g, ' ')),
  translate: fn(3, 3, (_cx, [a, b, c]) => translate(toText(a!), toText(b!), toText(c!))),
  boolean: fn(1, 1, (_cx, [a]) => toBoolean(a!)),
  not: fn(1, 1, (_cx, [a]) => !toBoolean(a!)),
  true: fn(0, 0, () => true),
  false: fn(0, 0, () => false),
  lang: fn(1, 1, (cx, [a]) => isLanguage(cx.node, toText(a!))),
  number: fn(0, 1, (cx, args) => toNumber(args.length === 0 ? stringValue(cx.node) : args[0]!)),
  sum: fn(1, 1, (_cx, [set]) => nodeSet(set!).reduce((n, node) => n + toNumber(stringValue(node)), 0)),
  floor: fn(1, 1, (_cx, [a]) => Math.floor(toNumber(a!))),
  ceiling: fn(1, 1, (_cx, [a]) => Math.ceil(toNumber(a!))),
  round: fn(1, 1, (_cx, [a]) => round(toNumber(a!))),
};

/** The value of an expression at a node. */
export function evaluateXPath(e: XPathExpr, node: XmlNode, namespaces: ReadonlyMap<string, string>): XPathValue {
  return evaluate(e, { node, position: 1, size: 1, namespaces });
}

