// postgresql://user:password@host:port,host:port/dbname?keyword=value (RFC 3986, with several hosts).
import { isKeyword, type Conninfo } from './conninfo_keywords.ts';
import { cannotConnect } from './errors.ts';

function decode(text: string): string {
  const bad = /%(?![0-9A-Fa-f]{2})/.exec(text);
  if (bad) throw cannotConnect(`invalid percent-encoded token: "${text}"`);
  if (/%00/.test(text)) throw cannotConnect(`forbidden value %00 in percent-encoded value: "${text}"`);
  return Buffer.from(text.replace(/%([0-9A-Fa-f]{2})|([^%]+)/g, (_, hex: string | undefined, plain: string | undefined) =>
    (hex === undefined ? Buffer.from(plain!).toString('latin1') : String.fromCharCode(parseInt(hex, 16)))), 'latin1').toString('utf8');
}

export function parseUri(uri: string): Conninfo {
  const found: Conninfo = {};
  let rest = uri.slice(uri.indexOf('://') + 3);
  const query = rest.indexOf('?');
  const parameters = query < 0 ? '' : rest.slice(query + 1);
  if (query >= 0) rest = rest.slice(0, query);
  const slash = rest.indexOf('/');
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  if (slash >= 0 && slash + 1 < rest.length) found.dbname = decode(rest.slice(slash + 1));
  const ampersat = authority.indexOf('@');
  if (ampersat >= 0) {
    const colon = authority.indexOf(':');
    const split = colon >= 0 && colon < ampersat;
    const user = authority.slice(0, split ? colon : ampersat);
    if (user !== '') found.user = decode(user);
    if (split && colon + 1 < ampersat) found.password = decode(authority.slice(colon + 1, ampersat));
  }
  readHosts(uri, authority.slice(ampersat + 1), found);
  if (query >= 0) readParameters(parameters, found);
  return found;
}

function readHosts(uri: string, text: string, found: Conninfo): void {
  if (text === '') return;
  const hosts: string[] = [], ports: string[] = [];
  for (let at = 0; at <= text.length;) {
    let host: string;
    if (text[at] === '[') {
      const close = text.indexOf(']', at);
      if (close < 0) throw cannotConnect(`end of string reached when looking for matching "]" in IPv6 host address in URI: "${uri}"`);
      if (close === at + 1) throw cannotConnect(`IPv6 host address may not be empty in URI: "${uri}"`);
      host = text.slice(at + 1, close);
      at = close + 1;
      if (at < text.length && !':,'.includes(text[at]!)) {
        throw cannotConnect(`unexpected character "${text[at]}" at position ${uri.indexOf(text) + at + 1} in URI (expected ":" or "/"): "${uri}"`);
      }
    } else {
      const stop = /[:,]|$/.exec(text.slice(at))!.index;
      host = text.slice(at, at + stop);
      at += stop;
    }
    hosts.push(decode(host));
    let port = '';
    if (text[at] === ':') {
      const stop = /,|$/.exec(text.slice(at))!.index;
      port = text.slice(at + 1, at + stop);
      at += stop;
    }
    ports.push(decode(port));
    at++;
    if (text[at - 1] === undefined) break;
  }
  if (hosts.some((h) => h !== '')) found.host = hosts.join(',');
  if (ports.some((p) => p !== '')) found.port = ports.join(',');
}

function readParameters(text: string, found: Conninfo): void {
  if (text === '') return;
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=');
    if (equals < 0) throw cannotConnect(`missing key/value separator "=" in URI query parameter: "${pair}"`);
    if (pair.indexOf('=', equals + 1) >= 0) throw cannotConnect(`extra key/value separator "=" in URI query parameter: "${pair.slice(0, equals)}"`);
    let name = decode(pair.slice(0, equals)), value = decode(pair.slice(equals + 1));
    // JDBC's way to say it.
    if (name === 'ssl' && value === 'true') {
      name = 'sslmode';
      value = 'require';
    }
    if (!isKeyword(name)) throw cannotConnect(`invalid URI query parameter: "${name}"`);
    found[name] = value;
  }
}
