// Settings that PostgreSQL does not have and that every process must know, as every process reads the configuration.
import { defineSetting } from './guc.ts';

const CONNECTIONS = 6, DEVELOPER_OPTIONS = 8;

defineSetting(['dress_rehearsal', 'bool', 'postmaster', 'on', null, 0, 0, null, DEVELOPER_OPTIONS,
  'Has the postmaster run whole sessions before it listens.', 'Server processes then start compiled; the postmaster starts seconds later.', '']);

defineSetting(['idle_exit', 'integer', 'sighup', '0', 's', 0, 2147483, null, CONNECTIONS,
  'Sets how long a postmaster without sessions stays before it ends.', 'Only with sockets passed by a service manager, which starts it again at the next connection. 0 means for ever.', '']);
