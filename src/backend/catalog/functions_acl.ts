// The type aclitem and the functions on it. A datum is the string described in acl.ts: it names roles by OID.
import { PgError } from '../../common/errors.ts';
import { ArrayValue, makeArray, RecordValue, type Oid } from '../types/datum.ts';
import { registerBuiltins, type FunctionContext } from '../types/fmgr.ts';
import { aclDefault, formatAcl, formatAclItem, parseAclItem, privilegeLetters, ACL_LETTERS, PRIVILEGE_NAMES, type AclItem, type AclKind } from './acl.ts';
import { getRoleOid } from './objectaddress.ts';
import * as ids from './oids.ts';
import { authIdByOid } from './syscache.ts';

const SAFE = /^[A-Za-z0-9_]+$/;
const roleText = (oid: Oid): string => {
  const name = authIdByOid(oid)?.rolname ?? String(oid);
  return SAFE.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
};

/** "joe=arw/mary", PUBLIC as nothing. */
export function aclItemOut(item: string): string {
  const { grantee, grantor, privs, goptions } = parseAclItem(item);
  return `${grantee === 0 ? '' : roleText(grantee)}=${privilegeLetters(privs, goptions)}/${roleText(grantor)}`;
}

function aclItemIn(text: string): string {
  const name = '(?:"((?:[^"]|"")*)"|([A-Za-z0-9_\\u0080-\\uffff]*))';
  const m = new RegExp(`^\\s*(?:(group|user)\\s+)?${name}=([a-zA-Z*]*)\\s*(?:/\\s*${name})?\\s*$`).exec(text);
  if (!m) {
    if (!text.includes('=')) throw new PgError('invalid_text_representation', 'missing "=" sign');
    throw new PgError('invalid_text_representation', 'extra garbage at the end of the ACL specification');
  }
  let privs = 0, goptions = 0, last = 0;
  for (const c of m[4]!) {
    const i = c === '*' ? -1 : ACL_LETTERS.indexOf(c);
    if (c === '*') goptions |= last;
    else if (i < 0) throw new PgError('invalid_text_representation', 'invalid mode character: must be one of "arwdDxtXUCTcsA"');
    else privs |= last = 1 << i;
  }
  const unquote = (quoted: string | undefined, plain: string | undefined): string => (quoted !== undefined ? quoted.replaceAll('""', '"') : plain ?? '');
  const grantee = unquote(m[2], m[3]);
  const grantor = unquote(m[5], m[6]);
  if (grantor === '') {
    // As PostgreSQL, which warns that it takes the owner of the site.
    return formatAclItem({ grantee: grantee === '' ? 0 : getRoleOid(grantee), grantor: ids.BOOTSTRAP_SUPERUSERID, privs, goptions });
  }
  return formatAclItem({ grantee: grantee === '' ? 0 : getRoleOid(grantee), grantor: getRoleOid(grantor), privs, goptions });
}

function makeAclItem(grantee: Oid, grantor: Oid, privileges: string, grantable: boolean): string {
  let privs = 0;
  for (const word of privileges.split(',')) {
    const i = PRIVILEGE_NAMES.indexOf(word.trim().toUpperCase() as (typeof PRIVILEGE_NAMES)[number]);
    if (i < 0) throw new PgError('invalid_parameter_value', `unrecognized privilege type: "${word.trim()}"`);
    privs |= 1 << i;
  }
  return formatAclItem({ grantee, grantor, privs, goptions: grantable ? privs : 0 });
}

const EXPLODED = ['grantor', 'grantee', 'privilege_type', 'is_grantable'].map((name, i) => ({ name,
  typeOid: [ids.OIDOID, ids.OIDOID, ids.TEXTOID, ids.BOOLOID][i]!, typmod: -1, collation: i === 2 ? 100 : 0, dropped: false }));

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
      if (!k) throw new PgError('internal_error', `unrecognized object type abbreviation: ${kind}`);
      return makeArray(ids.ACLITEMOID, formatAcl(aclDefault(k, owner)));
    },
    hash_aclitem: (item: string) => { const i = parseAclItem(item); return (i.grantee + i.grantor + i.privs + i.goptions * 65536) | 0; },
    aclinsert: () => { throw new PgError('feature_not_supported', 'aclinsert is no longer supported'); },
    aclremove: () => { throw new PgError('feature_not_supported', 'aclremove is no longer supported'); },
  },
  set: { aclexplode: aclExplode },
});
