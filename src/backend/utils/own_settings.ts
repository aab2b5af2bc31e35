// Settings that PostgreSQL does not have and that every process must know, as every process reads the configuration.
import { defineSetting } from './guc.ts';

const DEVELOPER_OPTIONS = 8;

defineSetting(['dress_rehearsal', 'bool', 'postmaster', 'on', null, 0, 0, null, DEVELOPER_OPTIONS,
  'Has the postmaster run whole sessions before it listens.', 'Server processes then start compiled; the postmaster starts seconds later.', '']);
