// The power goes while a whole site works: several databases, commits of both environments, databases that are made and dropped,
// commits that come in files. power.c notes everything that is done to the site's files; power.ts makes of it what a disk may have
// at any place; a site is started from that, and has to be what the sessions had been told. A short run each time, a long one as
// `make torture`; SEED=n repeats the choice of places, not what the sessions do.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { LeafReader } from '../../src/backend/access/index_leaf.ts';
import { openStore } from '../../src/backend/storage/lmdb.ts';
import { giveToAccount } from '../support/account.ts';
import { freePort, runFolder } from '../support/run.ts';
import { Site, makeSite, product, program } from '../support/site.ts';
import { randomFrom } from '../support/random.ts';
import { MixedTorture } from './mixed.ts';
import { Disk } from './power.ts';

const long = process.env['TORTURE'] === '1';
const seed = Number(process.env['SEED'] ?? (long ? Date.now() % 1_000_000 : 5));
const ROUNDS = long ? Number(process.env['ROUNDS'] ?? 5) : 1, CUTS = long ? Number(process.env['CUTS'] ?? 40) : 4, COMMITS = long ? 400 : 60;
/** A signal that nobody else uses. */
const DEADLY = 40;
/** transaction/prepared.ts. */
const PREPARED = 92;
const INI = 'dress_rehearsal = off\nmanager_idle_exit = 2s\nidle_restart = 0\nmax_prepared_transactions = 20';

/** One database after the other is made, filled and dropped, by the clock. */
class Databases {
  readonly past: { name: string; from: number; to: number; what: 'made' | 'filled' | 'dropped' }[] = [];
  stopping = false;
  private readonly site: Site;
  private readonly clock: () => number;
  constructor(site: Site, clock: () => number) {
    this.site = site;
    this.clock = clock;
  }

  async work(): Promise<void> {
    const note = async (name: string, what: 'made' | 'filled' | 'dropped', done: () => Promise<unknown>): Promise<void> => {
      const one = { name, what, from: this.clock(), to: Infinity };
      this.past.push(one);
      try {
        await done();
        one.to = this.clock();
      } catch { /* a manager has just been killed: it may have been done */ }
    };
    const first = await this.site.connect();
    for (let n = 0; !this.stopping; n++) {
      const name = `d_${n}`, template = n % 3 === 2 ? `d_${n - 1}` : 'template1';
      await note(name, 'made', async () => first.query(`create database ${name} template ${template}`));
      const inside = await this.site.connect({ database: name }).catch(() => null);
      if (inside !== null) {
        await note(name, 'filled', async () => inside.query(`create table filled_${n} (a int primary key, b text unique); insert into filled_${n} select i, md5(i::text) from generate_series(1, 500) i`));
        await inside.end();
      }
      if (n > 0 && n % 3 !== 1) await note(`d_${n - 1}`, 'dropped', async () => first.query(`drop database if exists d_${n - 1}`));
      if (n % 3 === 2) await note(name, 'dropped', async () => first.query(`drop database ${name}`));
    }
    await first.end();
  }

  async checkAt(place: number, site: Site): Promise<string[]> {
    const client = await site.connect(), faults: string[] = [];
    const there = new Set((await client.query('select datname from pg_database')).rows.map((row) => row.datname as string));
    const folders = (await client.query('select oid::int from pg_database')).rows.map((row) => row.oid as number);
    for (const oid of folders) if (!readdirSync(join(site.folder, 'base')).includes(String(oid))) faults.push(`database ${oid} has no folder`);
    await client.end();
    for (const name of new Set(this.past.map((one) => one.name))) {
      const own = this.past.filter((one) => one.name === name), sure = (what: string): boolean => own.some((one) => one.what === what && one.to <= place);
      const perhaps = (what: string): boolean => own.some((one) => one.what === what && one.from <= place);
      if (there.has(name)) {
        if (!perhaps('made')) faults.push(`database ${name} is there before it was made`);
        if (sure('dropped')) faults.push(`database ${name} is there though it was dropped`);
        const inside = await site.connect({ database: name }), n = name.slice(2);
        const rows = (await inside.query(`select to_regclass('filled_${n}') is not null as known`)).rows[0].known as boolean
          ? (await inside.query(`select count(*)::int as n, count(distinct b)::int as b from filled_${n}`)).rows[0] : null;
        if (rows === null ? sure('filled') : rows.n !== 500 || rows.b !== 500) faults.push(`database ${name} has ${JSON.stringify(rows)}`);
        await inside.end();
      } else if (sure('made') && !perhaps('dropped')) faults.push(`database ${name} was made and is gone`);
    }
    return faults;
  }
}

interface IndexOf { database: string; shared: boolean; index: string; filenode: number; heap: number; method: string; partial: boolean; unique: boolean }

/** Of every table and index of every database: each row has its entry, each entry its row, and nothing lies about that belongs to none. */
async function checkStores(site: Site): Promise<string[]> {
  const faults: string[] = [], client = await site.connect(), indexes: IndexOf[] = [], known = new Map<string, Set<number>>([['global', new Set([0, 8, 90, 91])]]);
  const databases = (await client.query('select oid::int, datname from pg_database where datallowconn')).rows as { oid: number; datname: string }[];
  await client.end();
  for (const { oid, datname } of databases) {
    const folder = `base/${oid}`, inside = await site.connect({ database: datname });
    known.set(folder, new Set([0, 8, 90, 91]));
    for (const { node, shared } of (await inside.query('select pg_relation_filenode(oid)::int as node, relisshared as shared from pg_class where pg_relation_filenode(oid) is not null')).rows) known.get(shared as boolean ? 'global' : folder)!.add(node as number);
    indexes.push(...(await inside.query(`select relisshared as shared, c.relname as index, pg_relation_filenode(c.oid)::int as filenode, pg_relation_filenode(indrelid)::int as heap, amname as method, indpred is not null as partial, indisunique as "unique"
      from pg_index join pg_class c on c.oid = indexrelid join pg_am a on a.oid = relam`)).rows.map((row) => ({ ...row as IndexOf, database: (row as IndexOf).shared ? 'global' : folder })));
    await inside.end();
  }
  await site.stop();
  for (const [folder, filenodes] of known) {
    const store = openStore(join(site.folder, folder));
    store.renew();
    const rows = new Map<number, Set<number>>(), leaves = new Map<number, Buffer[]>(), ofIndex = new Map(indexes.filter((i) => i.database === folder).map((i) => [i.filenode, i]));
    const dropped = new Set<number>(), cursor = store.range(Buffer.alloc(0), Buffer.alloc(16, 255));
    while (cursor.next()) {
      const filenode = cursor.key.readUInt32BE(0), value = Buffer.from(cursor.value.subarray(0, cursor.valueLength));
      if (filenode === 0) {
        const name = cursor.key.toString('latin1', 4, cursor.keyLength);
        if (name.startsWith('dropped.')) dropped.add(Number(name.slice(8)));
      } else if (filenode === PREPARED) {
        continue; // requests that wait for their second phase
      } else if (ofIndex.has(filenode)) {
        if (!leaves.has(filenode)) leaves.set(filenode, []);
        leaves.get(filenode)!.push(value);
      } else {
        if (!filenodes.has(filenode) && !dropped.has(filenode)) { faults.push(`${folder}: filenode ${filenode} belongs to nothing`); dropped.add(filenode); }
        if (!rows.has(filenode)) rows.set(filenode, new Set());
        const wide = (value[1]! & 1) !== 0, slots = value.readUInt16LE(2), block = cursor.key.readUInt32BE(4);
        for (let i = 0; i < slots; i++) if ((wide ? value.readUInt32LE(8 + 4 * i) : value.readUInt16LE(8 + 2 * i)) !== 0) rows.get(filenode)!.add(block * 65536 + i);
      }
    }
    cursor.close();
    for (const { index, filenode, heap, method, partial, unique } of ofIndex.values()) {
      const found = new Set<number>(), of = rows.get(heap) ?? new Set<number>(), leaf = new LeafReader();
      let entries = 0, before = '';
      for (const value of leaves.get(filenode) ?? []) {
        leaf.load(value);
        for (let i = 0; i < leaf.count; i++, entries++) {
          const row = leaf.rowId(i), key = leaf.key(i);
          if (!of.has(row)) faults.push(`${folder}: an entry of ${index} leads to row ${row}, which is not there`);
          if (entries > 0 && key < before) faults.push(`${folder}: the entries of ${index} are not in order`);
          if (unique && method === 'btree' && entries > 0 && key === before && !key.includes('\xff')) faults.push(`${folder}: ${index} has a key twice`);
          before = key;
          found.add(row);
        }
      }
      if (!partial && method === 'btree' && (entries !== of.size || found.size !== of.size)) faults.push(`${folder}: ${index} has ${entries} entries to ${found.size} rows, its table has ${of.size} rows`);
    }
    store.close();
  }
  return faults.slice(0, 10);
}

/** As dist/bin has it, but with power.c loaded. */
function recording(folder: string): typeof product {
  const library = join(folder, 'power.so');
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, new URL('power.c', import.meta.url).pathname, '-ldl']);
  const text = readFileSync(program('postmaster'), 'utf8');
  const changed = text.replace(/^self=.*$/m, `self=${program('postmaster')}`).replace('LD_PRELOAD=$heap', `LD_PRELOAD=$heap:${library}`);
  if (!changed.includes(library)) throw new Error('the postmaster is started in another way');
  writeFileSync(join(folder, 'postmaster'), changed, { mode: 0o755 });
  return { ...product, bin: folder };
}

test('the power goes: what was acknowledged is there, and nothing is half-done', async (t) => {
  t.timeout(3_600_000);
  t.log(`SEED=${seed}`);
  const random = randomFrom(seed), faults: string[] = [];
  let looked = 0;
  for (let round = 0; round < ROUNDS && faults.length === 0; round++) {
    const folder = mkdtempSync(join(runFolder(), 'power-')), log = join(folder, 'log');
    chmodSync(folder, 0o755);
    writeFileSync(log, '');
    chmodSync(log, 0o666);
    const clock = (): number => statSync(log).size;
    const source = await makeSite({ ini: INI }), disk = new Disk(source, log);
    const site = new Site(source, await freePort(), { product: recording(folder), env: { POWER_SITE: source, POWER_LOG: log, POWER_KILL: String(DEADLY) } });
    await site.start();
    const first = await site.connect();
    await first.query('create database other');
    await first.end();
    const databases = new Databases(site, clock);
    const mixed = [new MixedTorture(site, seed * 10 + round, 3, { clock, deadly: DEADLY }), new MixedTorture(site, seed * 10 + round + 5000, 3, { clock, deadly: DEADLY, database: 'other', firstSlot: 3 })];
    for (const one of mixed) await one.prepare();
    const from = clock(), making = databases.work();
    await Promise.all(mixed.map(async (one) => one.work(COMMITS, ['backend', 'manager'])));
    databases.stopping = true;
    await making;
    const end = clock();
    for (const one of mixed) faults.push(...one.faults);
    await site.stop();
    t.log({ notes: end, commits: mixed.map((one) => one.counts['acknowledged']), databases: databases.past.length });

    const places = Array.from({ length: CUTS }, () => from + random(end - from)).sort((a, b) => a - b);
    const image = new Site(join(folder, 'image'), await freePort(), {});
    for (const place of places) {
      disk.advance(place);
      const ordered = random(2) === 0, when = `SEED=${seed} round ${round}, ${ordered ? 'an ordered' : 'any'} disk at ${place} of ${from} to ${end}`;
      disk.cut(image.folder, random, ordered);
      giveToAccount(image.folder);
      try {
        await image.start();
        // Also what was made whole again has to last.
        if (random(3) === 0) { await image.killEverything(); await image.start(); }
        for (const one of mixed) {
          await one.checkAt(place, image, when);
          faults.push(...one.faults.splice(0));
        }
        for (const fault of [...await databases.checkAt(place, image), ...await checkStores(image)]) faults.push(`${when}: ${fault}`);
      } catch (error) {
        faults.push(`${when}: ${(error as Error).stack}`);
      }
      if (image.process.exitCode === null && image.process.signalCode === null) await image.killEverything();
      looked++;
      if (faults.length > 0) break;
    }
    if (faults.length > 0) { t.log(image.log().slice(-5000)); break; }

    // Nothing was done to the site that was not noted.
    disk.advance(clock());
    disk.whole(image.folder);
    for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
      if (!/(data|journal)\.mdb$/.test(name)) continue;
      if (!readFileSync(join(source, name)).equals(readFileSync(join(image.folder, name)))) faults.push(`the notes do not say all that was done to ${name}`);
    }
    disk.close();
    rmSync(folder, { recursive: true });
    rmSync(source, { recursive: true });
  }
  t.deepEqual(faults, []);
  t.is(looked, ROUNDS * CUTS);
});
