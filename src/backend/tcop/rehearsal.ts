// The dress rehearsal: before the postmaster listens (or, where connections wait already, little by little) it runs whole
// sessions over a socket pair, on a copy of template0 in tmp/ with the transaction manager in the same process, and at the
// end in others. Whatever a backend will do is then compiled, and its
// children share the code; a child that has to compile for itself takes half a second for its first statements.
// Nothing may remain of it but code: session, settings, caches, connections and stores are put back, and the objects
// it makes have OIDs that no database reaches.
import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { BASE, FOLDER_MODE, GLOBAL, TMP, databaseFolder, managerSocket } from '../../common/site.ts';
import { SIGKILL, SIGTERM, port, waitForLock } from '../../port/port.ts';
import { forgetReservedOids } from '../catalog/catalog.ts';
import { forgetCatalogs } from '../catalog/inval.ts';
import * as ids from '../catalog/oids.ts';
import { authIdByOid } from '../catalog/syscache.ts';
import { discardHooks } from '../commands/variable.ts';
import { Frontend } from '../libpq/pqcomm.ts';
import { metaKey, openReader, openWritableStore } from '../storage/lmdb.ts';
import { copyEnvironment } from '../storage/packed.ts';
import { META, type WritableStore } from '../storage/store.ts';
import { client, sharedClient } from '../transaction/client.ts';
import { LocalManager } from '../transaction/local.ts';
import { forgetLockedTables } from '../transaction/locked_tables.ts';
import { environmentPath, managerMain } from '../transaction/manager.ts';
import { abortCurrentTransaction, commitTransactionCommand, renewSnapshot, setStoreOpener, setStorePaths, startTransactionCommand } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { freeSlotOf, takeSlot, withOwnTable } from '../utils/backend_status.ts';
import { muteLog } from '../utils/elog.ts';
import { saveOptions } from '../utils/guc.ts';
import { ignoreInterrupts, stopStatementTimeout, whenSettled } from '../utils/interrupts.ts';
import { forgetLargeMemory } from '../utils/memory_limit.ts';
import { forgetStatistics, withStatisticsEvery } from '../utils/pgstat.ts';
import { withOwnStatistics } from '../utils/pgstat_shmem.ts';
import { session } from '../utils/session.ts';
import { dropUnnamedStatement } from './extended_query.ts';
import { serveSession } from './postgres.ts';
import { setFrontend } from './protocol.ts';
import { Script, readingScenes, rival, scenes } from './rehearsal_script.ts';

const FOLDER = `${TMP}/rehearsal`;
/** A template of more than this is not worth copying. */
const MAX_TEMPLATE_BYTES = 64 << 20;
/** Objects of the rehearsal are numbered from here. */
const FIRST_OID = 4_000_000_000;
const DATABASE = 'template1';
const STATISTICS_MS = 3;

/** What the postmaster does meanwhile (postmaster/memory.ts): garbage is collected between the first acts, because what the
 * last ones leave behind must stay; and V8 is told when the last act begins. Then the curtain falls: what has few calls left to go is
 * compiled, and in the encore nothing more is, or it would be the turn of some functions in every child's first session. */
export interface Stage {
  collectGarbage: () => void;
  /** Greets clients that do not come. */
  startUp: () => void;
  compileFor: (act: 'secondAct' | 'lastAct' | 'curtain' | 'encore') => void;
}

/** The rehearsal of the site that is the current folder, in steps: a postmaster that must answer at once plays them one by
 * one while nobody wants anything. Between two steps the process is as if there were no rehearsal, fit for being forked. */
export class Rehearsal {
  private readonly steps: (() => void)[];
  private user = '';
  /** What frontends were told and nobody expects. */
  readonly errors: string[] = [];

  constructor(stage: Stage) {
    const writes = (act: 'first' | 'second' | 'last') => scenes(act).map((scene) => () => this.withManagers(() => this.perform(scene)));
    const reads = (act: 'hot' | 'last' | 'curtain' | 'encore') => readingScenes(act).map((scene) => () => {
      this.perform(scene);
      leaveNothing();
    });
    const compile = (act: Parameters<Stage['compileFor']>[0]) => () => stage.compileFor(act);
    this.steps = [
      () => this.withManagers(() => { this.user = superuserName(); }),
      ...writes('first'), stage.collectGarbage, compile('secondAct'), ...writes('second'),
      // Now as a backend has it: environments opened for reading, and no manager.
      ...reads('hot'), compile('lastAct'), ...writes('last').slice(0, 2),
      // And with managers in processes of their own: what a backend does with a socket is not to be new to it.
      // And not alone: what it does when a row is locked, by a session that has it all the time. And interrupted: each signal that comes
      // while it waits for a message takes a way that is otherwise never gone.
      ...scenes('last').map((scene) => () => this.withForkedManagers(() => this.withRival(() => {
        withStatisticsEvery(STATISTICS_MS, () => this.perform(scene, true));
      }))), ...reads('last'),
      stage.startUp, ...reads('last'),
      compile('curtain'), ...reads('curtain'), compile('encore'), ...reads('encore'),
    ];
    if (!copySite()) this.steps.length = 0;
  }

  /** Plays a little; false: it is over. */
  next(): boolean {
    const step = this.steps.shift();
    if (step === undefined) return false;
    const unmute = muteLog(), putBack = saveOptions(), before = { ...session }, site = process.cwd();
    ignoreInterrupts(true);
    try {
      process.chdir(FOLDER);
      withOwnTable(() => withOwnStatistics(step));
    } catch (error) {
      this.errors.push(error instanceof Error ? error.stack ?? error.message : String(error));
      this.steps.length = 0;
    } finally {
      process.chdir(site);
      Object.assign(session, before);
      putBack();
      unmute();
      ignoreInterrupts(false);
      forgetLargeMemory();
    }
    if (this.steps.length === 0) rmSync(FOLDER, { recursive: true, force: true });
    return this.steps.length > 0;
  }

  private withManagers(work: () => void): void {
    const global = openScratch(GLOBAL), database = openScratch(databaseFolder(ids.Template1DbOid));
    const managers = [new LocalManager(global, 0), new LocalManager(database, ids.Template1DbOid)] as const;
    try {
      managers[0].serve(sharedClient);
      managers[1].serve(client);
      setStoreOpener((path) => openReader(path === GLOBAL ? global : database));
      work();
    } finally {
      leaveNothing();
      for (const manager of managers) manager.close();
    }
  }

  private withForkedManagers(work: () => void): void {
    const databases = [0, ids.Template1DbOid], pids = databases.map(forkManager);
    try {
      if (pids.every((pid) => pid > 0)) work();
    } finally {
      leaveNothing();
      for (const pid of pids) if (pid > 0) port.kill(pid, SIGTERM);
      for (const database of databases) waitForEnd(database);
    }
  }

  private withRival(work: () => void): void {
    const pid = port.fork(false);
    if (pid === 0) {
      play(rival(), this.user);
      port._exit(0);
    }
    try {
      work();
    } finally {
      // Waited for here: its end is none that the log tells.
      if (pid > 0 && port.kill(pid, SIGKILL) === 0) port.waitFor(pid);
    }
  }

  private perform(scene: Script, live = false): void {
    this.errors.push(...play(scene, this.user, live));
  }
}

function forkManager(database: Oid): number {
  rmSync(managerSocket(database), { force: true });
  const pid = port.fork(false);
  if (pid === 0) managerMain(database, false);
  return pid;
}

/** It holds a lock as long as it lives. */
function waitForEnd(database: Oid): void {
  const file = openSync(environmentPath(database), 'r');
  waitForLock(file);
  closeSync(file);
}

/** False: there is nothing worth copying. */
function copySite(): boolean {
  const template = [ids.Template0DbOid, ids.Template1DbOid].map(databaseFolder)
    .find((folder) => ['data.mdb', 'data.mdb.zst'].some((name) => existsSync(`${folder}/${name}`) && statSync(`${folder}/${name}`).size <= MAX_TEMPLATE_BYTES));
  if (template === undefined) return false;
  rmSync(FOLDER, { recursive: true, force: true });
  for (const folder of ['', `/${GLOBAL}`, `/${BASE}`, `/${databaseFolder(ids.Template1DbOid)}`, `/${TMP}`]) mkdirSync(FOLDER + folder, { mode: FOLDER_MODE });
  copyEnvironment(GLOBAL, `${FOLDER}/${GLOBAL}`);
  copyEnvironment(template, `${FOLDER}/${databaseFolder(ids.Template1DbOid)}`);
  return true;
}

function openScratch(path: string): WritableStore {
  const store = openWritableStore(path, false), next = Buffer.alloc(8);
  next.writeUInt32LE(FIRST_OID);
  if (!existsSync(`${path}/numbered`)) {
    store.write((batch) => batch.put(metaKey(META.nextOid), next));
    writeFileSync(`${path}/numbered`, '');
  }
  return store;
}

function superuserName(): string {
  setStorePaths(GLOBAL, null);
  startTransactionCommand();
  renewSnapshot();
  const name = authIdByOid(ids.BOOTSTRAP_SUPERUSERID)!.rolname;
  commitTransactionCommand();
  return name;
}

/** One session: everything its frontend will ever send is there before it starts; or, `live`, a process of its own is the
 * frontend and waits for each answer, as frontends do. */
function play(scene: Script, user: string, live = false): string[] {
  const pair = port.socketpair();
  if (typeof pair === 'number') return [];
  const [ours, theirs] = pair;
  if (live) {
    converse(theirs, ours, scene);
  } else {
    const { bytes } = scene;
    port.send(theirs, bytes, 0, bytes.length);
    port.shutdown(theirs);
  }
  session.pid = port.getpid();
  const slot = takeSlot(session.pid, 0);
  const frontend = new Frontend(ours);
  frontend.patient = !live; // the answers would not go through the socket one by one: nobody reads yet
  // The members in the order of backend_startup.ts, or V8 takes it for another kind of object and compiles for that; and so
  // with strings: a literal is of another kind than what the kernel told.
  const connection = {
    frontend, user, database: DATABASE, settings: new Map([['client_encoding', 'UTF8'], ['application_name', 'rehearsal']]),
    cancelKey: 0, slot, remoteAddress: ['127', 0, 0, 1].join('.'), remotePort: 1,
  };
  // Called where another function is called as well, it is not compiled as a part of this one: a backend calls it by itself.
  for (const part of [beginsAsAnyOther, serveSession]) part(connection);
  abortCurrentTransaction();
  freeSlotOf(session.pid);
  port.close(ours);
  const errors = live ? [] : scene.errorsIn(drain(theirs));
  if (!live) port.close(theirs);
  forgetSession();
  return errors;
}

/** The frontend in a process of its own; `fd` is only there from now on. */
function converse(fd: number, backend: number, scene: Script): void {
  const pid = port.fork(false);
  if (pid !== 0) {
    port.close(fd);
    return;
  }
  port.close(backend);
  const { exchanges } = scene, part = Buffer.allocUnsafe(65536);
  for (const bytes of exchanges) {
    // ReadyForQuery: a type, a length of 5, a status.
    for (let ready = false; !ready;) {
      const n = port.recv(fd, part, 0, part.length, false);
      if (n <= 0) port._exit(0);
      ready = n >= 6 && part[n - 6] === 0x5a && part.readInt32BE(n - 5) === 5;
    }
    port.send(fd, bytes, 0, bytes.length);
  }
  port._exit(0);
}

/** A session's beginning has its own compilers (postmaster/children.ts); what counts it is to have been run. By turns it calls one
 * function and another, or only the one would be compiled into what calls it, and a backend's is a third. */
function beginsAsAnyOther(): void {
  inTurn = !inTurn;
  whenSettled(inTurn ? () => {} : () => {}); // two of them: each stands for itself
}
let inTurn = false;

function drain(fd: number): Buffer {
  const parts: Buffer[] = [];
  for (;;) {
    const part = Buffer.allocUnsafe(65536);
    const n = port.recv(fd, part, 0, part.length, false);
    if (n <= 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, n));
  }
}

/** What belongs to one session; the end of a process does it for a real one. */
function forgetSession(): void {
  for (const hooks of [discardHooks.all, discardHooks.plans, discardHooks.sequences]) for (const hook of hooks) hook();
  dropUnnamedStatement();
  stopStatementTimeout();
  forgetStatistics();
  setFrontend(undefined);
}

function leaveNothing(): void {
  client.forget();
  sharedClient.forget();
  setStoreOpener(null);
  setStorePaths(null, null);
  session.databaseOid = 0;
  forgetCatalogs();
  forgetReservedOids();
  forgetLockedTables();
}
