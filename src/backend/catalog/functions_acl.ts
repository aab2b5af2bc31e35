// The type aclitem and the functions on it. A datum is the string described in acl.ts: it names roles by OID.
import { PgError } from '../../common/errors.ts';
import { ArrayValue, int8, makeArray, RecordValue, tupleDesc, type Int8, type Oid } from '../types/datum.ts';
import { registerComparison } from '../types/compare.ts';
import { registerBuiltins, type FunctionContext } from '../types/fmgr.ts';
import { hashUint32Extended } from '../types/hash_bytes.ts';
import { aclDefault, formatAcl, formatAclItem, parseAclItem, privilegeLetters, ACL_LETTERS, PRIVILEGE_NAMES, type AclItem, type AclKind } from './acl.ts';
import { getRoleOid } from './objectaddress.ts';
import * as ids from './oids.ts';
import { truncateIdentifier } from '../utils/identifier.ts';
import { sendWarning } from '../utils/session.ts';
import { authIdByOid } from './syscache.ts';

const SAFE = /^[A-Za-z0-9_]+$/;
const roleText = (oid: Oid): string => {
  const name = authIdByOid(oid)?.rolname ?? String(oid);
  return SAFE.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
};

/** "joe=arw/mary", PUBLIC as nothing. */
function aclItemOut(item: string): string {
  const { grantee, grantor, privs, goptions } = parseAclItem(item);
  return `${grantee === 0 ? '' : roleText(grantee)}=${privilegeLetters(privs, goptions)}/${roleText(grantor)}`;
}

/** A role's name at the front of the text, quoted or not, and what comes after it (getid). */
function takeName(text: string): [name: string, rest: string] {
  const from = text.trimStart();
  let name = '';
  let quoted = false;
  let i = 0;
  for (; i < from.length; i++) {
    const c = from[i]!;
    if (c === '"') {
      if (quoted && from[i + 1] === '"') name += from[i++];
      else quoted = !quoted;
    } else if (quoted || /[\w\u0080-\uffff]/.test(c)) name += c;
    else break;
  }
  return [truncateIdentifier(name), from.slice(i).trimStart()];
}

/** aclparse. */
function aclItemIn(text: string): string {
  const bad = (message: string, hint?: string): PgError => new PgError('invalid_text_representation', message, { hint });
  let [grantee, rest] = takeName(text);
  if (!rest.startsWith('=')) {
    if (grantee !== 'group' && grantee !== 'user') throw bad(`unrecognized key word: "${grantee}"`, 'ACL key word must be "group" or "user".');
    [grantee, rest] = takeName(rest);
    if (grantee === '') throw bad('missing name', 'A name must follow the "group" or "user" key word.');
  }
  if (!rest.startsWith('=')) throw bad('missing "=" sign');
  let privs = 0, goptions = 0, last = 0, at = 1;
  for (; /[A-Za-z*]/.test(rest[at] ?? ''); at++) {
    const c = rest[at]!, i = ACL_LETTERS.indexOf(c);
    if (c === '*') goptions |= last;
    else if (i < 0) throw bad('invalid mode character: must be one of "arwdDxtXUCTcsA"');
    else privs |= last = 1 << i;
  }
  const granteeOid = grantee === '' ? 0 : getRoleOid(grantee);
  let grantor = ids.BOOTSTRAP_SUPERUSERID as Oid;
  let end = rest.slice(at);
  if (end.startsWith('/')) {
    const [name, after] = takeName(end.slice(1));
    if (name === '') throw bad('a name must follow the "/" sign');
    grantor = getRoleOid(name);
    end = after;
  } else sendWarning('invalid_grantor', `defaulting grantor to user ID ${grantor}`);
  if (end.trim() !== '') throw bad('extra garbage at the end of the ACL specification');
  return formatAclItem({ grantee: granteeOid, grantor, privs, goptions });
}

function makeAclItem(grantee: Oid, grantor: Oid, privilege: string, grantable: boolean): string {
  const i = PRIVILEGE_NAMES.indexOf(privilege.toUpperCase() as (typeof PRIVILEGE_NAMES)[number]);
  if (i < 0) throw new PgError('invalid_parameter_value', `unrecognized privilege type: "${privilege}"`);
  return formatAclItem({ grantee, grantor, privs: 1 << i, goptions: grantable ? 1 << i : 0 });
}

const EXPLODED = tupleDesc([['grantor', ids.OIDOID], ['grantee', ids.OIDOID], ['privilege_type', ids.TEXTOID], ['is_grantable', ids.BOOLOID]]);

function* aclExplode(_context: FunctionContext, acl: ArrayValue): Generator<RecordValue> {
  for (const text of acl.values) {
    const item = parseAclItem(text as string);
    for (let i = 0; i < ACL_LETTERS.length; i++) {
      if ((item.privs & (1 << i)) === 0) continue;
      yield new RecordValue(ids.RECORDOID, EXPLODED, [item.grantor, item.grantee, PRIVILEGE_NAMES[i]!, (item.goptions & (1 << i)) !== 0]);
    }
  }
}

const same = (a: AclItem, b: AclItem): boolean => a.grantee === b.grantee && a.grantor === b.grantor && a.privs === b.privs && a.goptions === b.goptions;

registerComparison(ids.ACLITEMOID, { equals: (a: string, b: string) => same(parseAclItem(a), parseAclItem(b)), hashKey: (item: string) => formatAclItem(parseAclItem(item)) });

registerBuiltins({
  pure: {
    aclitemin: aclItemIn,
    aclitemout: aclItemOut,
    makeaclitem: makeAclItem,
    aclitem_eq: (a: string, b: string) => same(parseAclItem(a), parseAclItem(b)),
    aclcontains: (acl: ArrayValue, item: string) => {
      const wanted = parseAclItem(item);
      return acl.values.some((text) => {
        const have = parseAclItem(text as string);
        return have.grantee === wanted.grantee && have.grantor === wanted.grantor
          && (have.privs & wanted.privs) === wanted.privs && (have.goptions & wanted.goptions) === wanted.goptions;
      });
    },
    acldefault_sql: (kind: string, owner: Oid) => {
      const known: Record<string, AclKind> = { c: 'c', r: 'r', s: 's', d: 'd', f: 'f', l: 'l', L: 'L', n: 'n', t: 't', F: 'F', S: 'S', T: 'T', p: 'p' };
      const k = known[kind];
      if (!k) throw new PgError('internal_error', `unrecognized objtype abbreviation: ${kind}`);
      return makeArray(ids.ACLITEMOID, formatAcl(aclDefault(k, owner)));
    },
    hash_aclitem: (item: string) => { const i = parseAclItem(item); return (i.grantee + i.grantor + i.privs + i.goptions * 65536) | 0; },
    hash_aclitem_extended: (item: string, seed: Int8) => {
      const i = parseAclItem(item);
      const sum = (i.grantee + i.grantor + i.privs + i.goptions * 65536) >>> 0;
      return BigInt(seed) === 0n ? sum : int8(BigInt.asIntN(64, hashUint32Extended(sum, BigInt(seed))));
    },
    aclinsert: () => { throw new PgError('feature_not_supported', 'aclinsert is no longer supported'); },
    aclremove: () => { throw new PgError('feature_not_supported', 'aclremove is no longer supported'); },
  },
  set: { aclexplode: aclExplode },
});
