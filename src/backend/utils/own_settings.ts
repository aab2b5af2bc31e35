// Settings that PostgreSQL does not have and that every process must know, as every process reads the configuration.
import { defineSetting } from './guc.ts';
import { keyWords } from './guc_hooks.ts';

const CONNECTIONS = 6, DEVELOPER_OPTIONS = 8;

defineSetting(['dress_rehearsal', 'bool', 'postmaster', 'on', null, 0, 0, null, DEVELOPER_OPTIONS,
  'Has the postmaster run whole sessions before it listens.', 'Server processes then start compiled; the postmaster starts seconds later.', 'NOT_IN_SAMPLE']);

defineSetting(['idle_exit', 'integer', 'sighup', '0', 's', 0, 2147483, null, CONNECTIONS,
  'Sets how long a postmaster without sessions stays before it ends.', 'Only with sockets passed by a service manager, which starts it again at the next connection. 0 means for ever.', '']);

defineSetting(['idle_restart', 'integer', 'sighup', '60', 's', 0, 2147483, null, CONNECTIONS,
  'Sets how long a postmaster that has grown stays without sessions before it starts anew, to give its memory back.',
  'Only with sockets passed by a service manager. Connections that come meanwhile wait, and are served. 0 means never.', '']);

const CUSTOMIZED = -1;

/** PL/pgSQL's. */
defineSetting(['plpgsql.check_asserts', 'bool', 'user', 'on', null, 0, 0, null, CUSTOMIZED, 'Perform checks given in ASSERT statements.', null, '']);
defineSetting(['plpgsql.extra_errors', 'string', 'user', 'none', null, 0, 0, null, CUSTOMIZED, 'List of programming constructs that should produce an error.', null, '']);
defineSetting(['plpgsql.extra_warnings', 'string', 'user', 'none', null, 0, 0, null, CUSTOMIZED, 'List of programming constructs that should produce a warning.', null, '']);
defineSetting(['plpgsql.print_strict_params', 'bool', 'user', 'off', null, 0, 0, null, CUSTOMIZED,
  'Print information about parameters in the DETAIL part of the error messages generated on INTO ... STRICT failures.', null, '']);
defineSetting(['plpgsql.variable_conflict', 'enum', 'superuser', 'error', null, 0, 0, ['error', 'use_variable', 'use_column'], CUSTOMIZED,
  'Sets handling of conflicts between PL/pgSQL variable names and table column names.', null, '']);
for (const name of ['plpgsql.extra_warnings', 'plpgsql.extra_errors']) keyWords(name, ['shadowed_variables', 'too_many_rows', 'strict_multi_assignment'], ['all', 'none']);
