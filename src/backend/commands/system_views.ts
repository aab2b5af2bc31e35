// What stands behind pg_hba_file_rules, pg_ident_file_mappings, pg_file_settings, pg_config, pg_backend_memory_contexts, pg_stat_wal and
// pg_stat_slru.
import { currentHbaLines, currentIdentLines } from '../libpq/hba.ts';
import { allSettings } from '../utils/guc.ts';
import { showFileSettings } from '../utils/guc_file.ts';
import { makeArray, type Datum } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { TEXTOID } from '../types/oids.ts';
import { SLRU } from '../utils/pgstat_shmem.ts';
import { sharedResetTime, slruResetTime } from './pgstat_functions.ts';
import { rowMaker } from './set_results.ts';

/** Nobody configured a build. */
const CONFIG = ['BINDIR', 'DOCDIR', 'HTMLDIR', 'INCLUDEDIR', 'PKGINCLUDEDIR', 'INCLUDEDIR-SERVER', 'LIBDIR', 'PKGLIBDIR', 'LOCALEDIR', 'MANDIR', 'SHAREDIR', 'SYSCONFDIR', 'PGXS',
  'CONFIGURE', 'CC', 'CPPFLAGS', 'CFLAGS', 'CFLAGS_SL', 'LDFLAGS', 'LDFLAGS_EX', 'LDFLAGS_SL', 'LIBS'];

registerBuiltins({
  context: {
    pg_stat_get_wal: (c) => rowMaker(c).row([0, 0, null, 0, 0, 0, 0, 0, sharedResetTime('wal')]),
  },
  set: {
    * pg_stat_get_recovery_prefetch(c): Generator<Datum> { yield rowMaker(c).row([sharedResetTime('recovery_prefetch'), 0, 0, 0, 0, 0, 0, 0, 0, 0]); },
    * pg_config(c): Generator<Datum> {
      const { row } = rowMaker(c), version = allSettings().find((s) => s.name === 'server_version')?.value;
      for (const name of CONFIG) yield row([name, 'not recorded']);
      yield row(['VERSION', `PostgreSQL ${String(version)}`]);
    },
    * pg_get_backend_memory_contexts(c): Generator<Datum> {
      const { heapTotal, heapUsed } = process.memoryUsage();
      yield rowMaker(c).row(['TopMemoryContext', null, null, 0, heapTotal, 1, heapTotal - heapUsed, 0, heapUsed]);
    },
    * pg_stat_get_slru(c): Generator<Datum> {
      for (const [i, name] of SLRU.entries()) yield rowMaker(c).row([name, 0, 0, 0, 0, 0, 0, 0, slruResetTime(i)]);
    },
    * pg_hba_file_rules(c): Generator<Datum> {
      const { named } = rowMaker(c);
      for (const l of currentHbaLines()) {
        const [, , , address] = l.raw.trim().split(/\s+/);
        yield named({
          line_number: l.line, type: l.type, database: makeArray(TEXTOID, l.databases.map((t) => t.text)), user_name: makeArray(TEXTOID, l.users.map((t) => t.text)),
          address: l.type === 'local' ? null : (address ?? '').replace(/\/.*/, ''), auth_method: l.method, options: l.map === null ? null : makeArray(TEXTOID, [`map=${l.map}`]),
        });
      }
    },
    * pg_ident_file_mappings(c): Generator<Datum> {
      let line = 0;
      for (const m of currentIdentLines()) yield rowMaker(c).named({ line_number: ++line, map_name: m.map, sys_name: m.systemUser, pg_username: m.databaseUser });
    },
    * show_all_file_settings(c): Generator<Datum> {
      const { named } = rowMaker(c);
      let seqno = 0;
      for (const s of showFileSettings()) {
        yield named({ sourcefile: s.file, sourceline: s.line, seqno: ++seqno, name: s.name, setting: s.value, applied: s.applied, error: s.error });
      }
    },
  },
});
