// Settings as functions: current_setting, set_config, what stands behind pg_settings (PostgreSQL's guc_funcs).
import { PgError } from '../../common/errors.ts';
import { hasRoleByName } from '../catalog/aclchk.ts';
import { makeArray, type Datum } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { TEXTOID } from '../types/oids.ts';
import { allSettings, findSetting, isVisible, readHooks, setConfigOption, settingColumns, show } from '../utils/guc.ts';
import { session } from '../utils/session.ts';
import { rowMaker } from './set_results.ts';

const maySeeFiles = (): boolean => session.isSuperuser || hasRoleByName(session.currentUser, 'pg_read_all_settings');

readHooks.maySeeAll = maySeeFiles;

function setConfig(name: string | null, value: string | null, isLocal: boolean | null): string {
  if (name === null) throw new PgError('null_value_not_allowed', 'SET requires parameter name');
  setConfigOption(name, value, session.isSuperuser ? 'superuser' : 'user', 'session', isLocal ? 'local' : 'set', true);
  return show(name);
}

const FLAGS_SHOWN = ['EXPLAIN', 'NO_RESET_ALL', 'NO_SHOW_ALL', 'NOT_IN_SAMPLE', 'RUNTIME_COMPUTED'] as const;

registerBuiltins({
  pure: {
    show_config_by_name: (name: string) => show(name),
    show_config_by_name_missing_ok: (name: string, missingOk: boolean) => (missingOk && findSetting(name) === undefined ? null : show(name)),
    set_config_by_name: setConfig,
    pg_settings_get_flags: (name: string) => {
      const setting = findSetting(name);
      return setting === undefined ? null : makeArray(TEXTOID, FLAGS_SHOWN.filter((flag) => setting.flags.has(flag)));
    },
  },
  set: {
    * show_all_settings(context) {
      const { row } = rowMaker(context);
      const privileged = maySeeFiles();
      for (const setting of allSettings()) {
        if (setting.flags.has('NO_SHOW_ALL') || !isVisible(setting)) continue;
        yield row(settingColumns(setting, privileged).map((v): Datum => (Array.isArray(v) ? makeArray(TEXTOID, v as string[]) : v as Datum)));
      }
    },
  },
});
