// The settings of transaction managers. Every process must know them, as every process reads the configuration.
import { defineSetting } from '../utils/guc.ts';

const LOCK_MANAGEMENT = 11;

defineSetting(['manager_idle_exit', 'integer', 'sighup', '60000', 'ms', 0, 2147483647, null, LOCK_MANAGEMENT,
  'Sets how long a transaction manager without any connection stays.', 'Zero means that it stays until the postmaster ends.', '']);
