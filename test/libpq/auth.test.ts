import test from 'ava';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkUsermap, loadHba, loadIdent, matchHba, type Peer } from '../../src/backend/libpq/hba.ts';
import { ScramClient, buildScramSecret, hmac, makeNonce, mockScramSecret, parseScramSecret, scramVerifyPlainPassword, serverSignature,
  verifyClientProof } from '../../src/common/scram.ts';
import { saslprep } from '../../src/common/saslprep.ts';
import { splitOptions, splitStartupOptions } from '../../src/backend/postmaster/startup_options.ts';

const folder = mkdtempSync(join(tmpdir(), 'posthouse-'));
test.after.always(() => rmSync(folder, { recursive: true }));
const load = (text: string, name = 'hba.conf'): string[] => {
  writeFileSync(join(folder, name), text);
  return name === 'hba.conf' ? loadHba(join(folder, name)) : loadIdent(join(folder, name));
};
const local: Peer = { family: 'unix', address: '' };
const inet = (address: string): Peer => ({ family: address.includes(':') ? 'inet6' : 'inet', address });
const isMember = (user: string, group: string): boolean => user === 'ann' && (group === 'staff' || group === 'shop');
const method = (peer: Peer, database: string, user: string): string | undefined => matchHba(peer, database, user, isMember)?.method;

test.serial('the first line that matches decides', (t) => {
  writeFileSync(join(folder, 'names'), 'zoe, yan\n# nobody\nxen\n');
  t.deepEqual(load(`
    # TYPE  DATABASE        USER            ADDRESS                 METHOD
    local   all             postgres                                peer map=admins
    local   "all"           all                                     reject
    local   sameuser        all                                     trust
    host    samerole        +staff          10.0.0.0/8              trust
    host    a, b,c          "+staff",ann    192.168.1.0 255.255.255.0   scram-sha-256
    host    all             @names          ::1/128                 trust
    hostssl all             all             0.0.0.0/0               trust
    hostnossl all           carl            samehost                trust
    host    replication     all             all                     trust
    host    d               all             all \\
                                                                    reject
  `), []);
  t.is(method(local, 'x', 'postgres'), 'peer');
  t.is(method(local, 'all', 'ann'), 'reject');
  t.is(method(local, 'ann', 'ann'), 'trust');
  t.is(method(local, 'x', 'ann'), undefined);
  t.is(method(inet('10.1.2.3'), 'shop', 'ann'), 'trust');
  t.is(method(inet('10.1.2.3'), 'shop', 'bob'), undefined);
  t.is(method(inet('192.168.1.77'), 'b', 'ann'), 'scram-sha-256');
  t.is(method(inet('192.168.1.77'), 'c', '+staff'), 'scram-sha-256');
  t.is(method(inet('192.168.2.77'), 'b', 'ann'), undefined);
  t.is(method(inet('::1'), 'b', 'xen'), 'trust');
  t.is(method(inet('::2'), 'b', 'xen'), undefined);
  t.is(method(inet('127.0.0.1'), 'q', 'carl'), 'trust');
  t.is(method(inet('1.2.3.4'), 'replication', 'carl'), undefined);
  t.is(method(inet('1.2.3.4'), 'd', 'carl'), 'reject');
});

test.serial('faults are named, and leave what was there', (t) => {
  load('local all all trust\n');
  const faults = load('locale all all trust\nlocal all\nhost all all 1.2.3.4 trust\nhost all all 1.2.3.4/99 trust\nlocal all all pam\nlocal all all magic\n'
    + 'host all all 1.2.3.4/32 peer\nhost all all example.org trust\nlocal all all peer foo=1\nlocal all @missing trust\n');
  const at = (n: number): string => ` in file "${join(folder, 'hba.conf')}" line ${n}`;
  t.deepEqual(faults.slice(0, 9), [
    `invalid connection type "locale"${at(1)}`, `end-of-line before role specification${at(2)}`, `invalid IP mask "trust"${at(3)}`,
    `invalid CIDR mask in address "1.2.3.4/99"${at(4)}`, `authentication method "pam" is not supported${at(5)}`,
    `invalid authentication method "magic"${at(6)}`, `peer authentication is only supported on local sockets${at(7)}`,
    `host name "example.org" is not supported: give an address${at(8)}`, `unrecognized authentication option name: "foo"${at(9)}`,
  ]);
  t.regex(faults[9]!, /could not open secondary authentication file "@missing"/);
  t.is(method(local, 'x', 'y'), 'trust');
});

test.serial('maps of accounts to users', (t) => {
  t.deepEqual(load('admins root postgres\nadmins /^(.*)_adm$ \\1\n', 'ident.conf'), []);
  t.true(checkUsermap(null, 'ann', 'ann'));
  t.false(checkUsermap(null, 'ann', 'bob'));
  t.true(checkUsermap('admins', 'root', 'postgres'));
  t.false(checkUsermap('admins', 'root', 'root'));
  t.true(checkUsermap('admins', 'ann_adm', 'ann'));
  t.false(checkUsermap('other', 'root', 'postgres'));
  t.regex(load('admins root\n', 'ident.conf')[0]!, /missing entry at end of line/);
});

test('SCRAM: a secret of PostgreSQL is understood, a proof is checked', (t) => {
  // Made by PostgreSQL 15 from the password "pencil\u00e9".
  const secret = parseScramSecret('SCRAM-SHA-256$4096:liTfSIWHIIsjG34lz7BgMw==$km0/5tGmji9Urw/OmqjWwFQI8AIoo0yk710tWh/z5tw=:pbr4uuVYWjh+8MWoLX0NI/3Hbz+WTbGF44CViLBGWHQ=')!;
  t.true(scramVerifyPlainPassword(secret, 'pencil\u00e9'));
  t.true(scramVerifyPlainPassword(secret, 'pencile\u0301'));
  t.false(scramVerifyPlainPassword(secret, 'pencil'));
  t.is(parseScramSecret('md5abc'), undefined);

  for (const [password, good] of [['pencil\u00e9', true], ['other', false]] as const) {
    const client = new ScramClient(password), first = client.first();
    const nonce = /r=(.*)$/.exec(first)![1]! + makeNonce();
    const serverFirst = `r=${nonce},s=${secret.salt.toString('base64')},i=${secret.iterations}`;
    const final = client.final(serverFirst);
    const authMessage = `${first.slice(3)},${serverFirst},${final.replace(/,p=.*$/, '')}`;
    t.is(verifyClientProof(secret, authMessage, Buffer.from(/p=(.*)$/.exec(final)![1]!, 'base64')), good);
    t.is(client.verify(`v=${serverSignature(secret, authMessage)}`), good);
  }
  t.throws(() => new ScramClient('x').final('r=other,s=AAAA,i=4096'), { message: /nonce mismatch/ });
});

test('a made-up secret is always the same for a name, and lets nobody in', (t) => {
  const nonce = Buffer.alloc(32, 7), mock = mockScramSecret('zed', nonce);
  t.deepEqual(mock, mockScramSecret('zed', nonce));
  t.notDeepEqual(mock.salt, mockScramSecret('zoe', nonce).salt);
  t.false(verifyClientProof(mock, 'x', hmac(mock.storedKey, 'x')));
  t.is(parseScramSecret(buildScramSecret('x'))!.iterations, 4096);
});

test('SASLprep', (t) => {
  t.is(saslprep('I\u00adX'), 'IX');
  t.is(saslprep('\u00aa'), 'a');
  t.is(saslprep('\u2168'), 'IX');
  t.is(saslprep('a\u00a0b'), 'a b');
  t.is(saslprep('\u0007'), '\u0007');
  t.is(saslprep('\u06271'), '\u06271');
});

test('options of a start-up packet', (t) => {
  t.deepEqual(splitOptions('-c a=b\\ c  --x-y=1 \\\\'), ['-c', 'a=b c', '--x-y=1', '\\']);
  t.deepEqual([...splitStartupOptions('-c a.b=1 --work-mem=2MB -fs -S 64 -e')], [['a.b', '1'], ['work_mem', '2MB'], ['enable_seqscan', 'off'],
    ['work_mem', '64'], ['datestyle', 'euro']].filter(([n], i) => !(n === 'work_mem' && i === 3)).map(([n, v]) => [n, n === 'work_mem' ? '64' : v]));
  t.throws(() => splitStartupOptions('-Z'), { message: 'invalid command-line argument for server process: -Z' });
  t.throws(() => splitStartupOptions('-c abc'), { message: '-c abc requires a value' });
});
