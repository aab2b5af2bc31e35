import test from 'ava';
import { PgError } from '../../src/common/errors.ts';
import * as guc from '../../src/backend/utils/guc.ts';
import { parseConfigFile } from '../../src/backend/utils/guc_file.ts';
import '../../src/backend/types/encode.ts';
import '../../src/backend/utils/elog.ts';
import { formatG, parseBool, splitIdentifierList } from '../../src/backend/utils/guc_parse.ts';

const set = (name: string, value: string | null, local = false): void => guc.setConfigOption(name, value, 'user', 'session', local);
const refused = (work: () => void): { code: string; message: string; hint: string | undefined; detail: string | undefined } => {
  try {
    work();
  } catch (error) {
    if (error instanceof PgError) return { code: error.code, message: error.message, hint: error.fields.hint, detail: error.fields.detail };
    throw error;
  }
  throw new Error('not refused');
};

test.serial('values and units as PostgreSQL shows them', (t) => {
  for (const [name, value, shown] of [
    ['work_mem', '65536', '64MB'], ['work_mem', '1.5GB', '1536MB'], ['work_mem', '65537', '65537kB'], ['statement_timeout', '90s', '90s'],
    ['statement_timeout', '2min', '2min'], ['statement_timeout', '1500', '1500ms'], ['statement_timeout', '0', '0'], ['random_page_cost', '1.10', '1.1'],
    ['effective_cache_size', '1TB', '1TB'], ['enable_sort', 'of', 'off'], ['enable_sort', 'YES', 'on'], ['extra_float_digits', '-5', '-5'],
    ['extra_float_digits', '0x2', '2'], ['bytea_output', 'ESCAPE', 'escape'], ['synchronous_commit', 'true', 'on'], ['client_encoding', 'unicode', 'UTF8'],
    ['vacuum_cost_delay', '0.5ms', '500us'], ['application_name', 'caf\u00e9', 'caf??'],
  ] as const) {
    set(name, value);
    t.is(guc.show(name), shown, `${name} = ${value}`);
    set(name, null);
  }
  t.is(guc.show('unix_socket_permissions'), '0777');
  t.is(guc.show('WORK_MEM'), '4MB');
});

test.serial('what is refused, and in which words', (t) => {
  t.like(refused(() => set('work_mem', '12 horses')), {
    code: '22023', message: 'invalid value for parameter "work_mem": "12 horses"',
    hint: 'Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".',
  });
  t.like(refused(() => set('work_mem', '1')), { code: '22023', message: '1 kB is outside the valid range for parameter "work_mem" (64 .. 2147483647)' });
  t.like(refused(() => set('work_mem', '9999999999')), { hint: 'Value exceeds integer range.' });
  t.like(refused(() => set('geqo_selection_bias', '3')), { message: '3 is outside the valid range for parameter "geqo_selection_bias" (1.5 .. 2)' });
  t.like(refused(() => set('enable_sort', 'perhaps')), { code: '22023', message: 'parameter "enable_sort" requires a Boolean value' });
  t.like(refused(() => set('bytea_output', 'octal')), { hint: 'Available values: escape, hex.' });
  t.like(refused(() => set('no_such', '1')), { code: '42704', message: 'unrecognized configuration parameter "no_such"' });
  t.like(refused(() => set('server_version', '1')), { code: '55P02', message: 'parameter "server_version" cannot be changed' });
  t.like(refused(() => set('max_connections', '1')), { code: '55P02', message: 'parameter "max_connections" cannot be changed without restarting the server' });
  t.like(refused(() => set('autovacuum', 'off')), { code: '55P02', message: 'parameter "autovacuum" cannot be changed now' });
  t.like(refused(() => set('log_connections', 'on')), { code: '55P02', message: 'parameter "log_connections" cannot be set after connection start' });
  t.like(refused(() => set('log_statement', 'all')), { code: '42501', message: 'permission denied to set parameter "log_statement"' });
  t.like(refused(() => set('my.1st', 'x')), { code: '42602', message: 'invalid configuration parameter name "my.1st"' });
  t.like(refused(() => set('client_encoding', 'MULE_INTERNAL')), { code: '0A000', message: 'invalid value for parameter "client_encoding": "MULE_INTERNAL"', detail: 'Conversion between MULE_INTERNAL and UTF8 is not supported.' });
  t.like(refused(() => set('client_encoding', 'klingon')), { code: '22023', message: 'invalid value for parameter "client_encoding": "klingon"' });
});

test.serial('transactions, SET LOCAL and savepoints', (t) => {
  const now = (): string => guc.show('work_mem');
  guc.atStartGuc();
  set('work_mem', '1MB');
  guc.atEOXact(false, 1);
  t.is(now(), '4MB');

  guc.atStartGuc();
  set('work_mem', '1MB');
  set('work_mem', '2MB', true);
  t.is(now(), '2MB');
  guc.atEOXact(true, 1);
  t.is(now(), '1MB');

  guc.atStartGuc();
  let level = guc.newNestLevel();
  set('work_mem', '3MB');
  guc.atEOXact(false, level);
  t.is(now(), '1MB');
  level = guc.newNestLevel();
  set('work_mem', '5MB', true);
  guc.atEOXact(true, level);
  t.is(now(), '5MB');
  guc.atEOXact(true, 1);
  t.is(now(), '1MB');

  guc.atStartGuc();
  set('work_mem', '6MB');
  level = guc.newNestLevel();
  set('work_mem', '7MB', true);
  guc.atEOXact(true, level);
  t.is(now(), '7MB');
  guc.atEOXact(true, 1);
  t.is(now(), '6MB');

  guc.atStartGuc();
  level = guc.newNestLevel();
  guc.setConfigOption('work_mem', '8MB', 'user', 'session', 'save');
  guc.atEOXact(true, level);
  t.is(now(), '6MB');
  set('work_mem', null);
  guc.atEOXact(true, 1);
  t.is(now(), '4MB');
  t.is(guc.settings.work_mem, 4096);
});

test.serial('defaults of a role give way to a session, and RESET finds them', (t) => {
  guc.processGucArray(['work_mem=10MB', 'my.colour=red'], 'user', 'user');
  t.is(guc.show('work_mem'), '10MB');
  t.is(guc.show('my.colour'), 'red');
  set('work_mem', '20MB');
  guc.setConfigOption('work_mem', '30MB', 'user', 'database');
  t.is(guc.show('work_mem'), '20MB');
  guc.resetAllOptions();
  t.is(guc.show('work_mem'), '10MB');
  guc.setConfigOption('work_mem', null, 'superuser', 'default');
});

test('pg_settings looks like PostgreSQL\'s', (t) => {
  const columns = (name: string): unknown[] => guc.settingColumns(guc.findSetting(name)!, false);
  t.deepEqual(columns('enable_hashjoin').slice(0, 8), ['enable_hashjoin', 'on', null, 'Query Tuning / Planner Method Configuration',
    'Enables the planner\'s use of hash join plans.', null, 'user', 'bool']);
  t.deepEqual(columns('shared_buffers').slice(8), ['default', '16', '1073741823', null, '16384', '16384', null, null, false]);
  t.true(guc.allSettings().filter((s) => !s.flags.has('NO_SHOW_ALL')).length >= 353);
});

test('SET lists are joined, and quoted where names are meant', (t) => {
  t.is(guc.flattenSetArgs('search_path', ['public', 'My Schema', '$user']), 'public, "My Schema", "$user"');
  t.is(guc.flattenSetArgs('DateStyle', ['ISO', 'DMY']), 'ISO, DMY');
  t.like(refused(() => { guc.flattenSetArgs('work_mem', ['1', '2']); }), { code: '22023', message: 'SET work_mem takes only one argument' });
  t.deepEqual(splitIdentifierList('"$user", Public'), ['$user', 'public']);
  t.is(splitIdentifierList('a,,b'), null);
});

test('site.ini: forms and faults', (t) => {
  const { lines, faults } = parseConfigFile('# c\n; c\nwork_mem = 4MB ; tail\nsearch_path = \'"$user", public\'\nport=5432\n\n[section]\nbroken\ncheck_x = \n', 'f');
  t.deepEqual(lines.map((l) => [l.name, l.value, l.line]), [['work_mem', '4MB', 3], ['search_path', '"$user", public', 4], ['port', '5432', 5], ['check_x', '', 9]]);
  t.deepEqual(faults, ['sections are not supported: syntax error in file "f" line 7', 'syntax error in file "f" line 8']);
});

test('numbers and words', (t) => {
  t.deepEqual([0.1, 1e-5, 123456.7, 1e6, 1.5e300].map(formatG), ['0.1', '1e-05', '123457', '1e+06', '1.5e+300']);
  t.deepEqual(['t', 'ON', 'o', '1', 'no', ''].map(parseBool), [true, true, undefined, true, false, undefined]);
});
